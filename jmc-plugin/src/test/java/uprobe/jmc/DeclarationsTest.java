package uprobe.jmc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import javax.xml.parsers.DocumentBuilderFactory;

import app.Archive;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openjdk.jmc.common.IState;
import org.openjdk.jmc.common.item.IAttribute;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.item.IItemFilter;
import org.openjdk.jmc.common.item.IItemIterable;
import org.openjdk.jmc.common.item.ItemFilters;
import org.openjdk.jmc.common.item.PersistableItemFilter;
import org.openjdk.jmc.common.unit.KindOfQuantity;
import org.openjdk.jmc.common.unit.LinearKindOfQuantity;
import org.openjdk.jmc.common.util.StateToolkit;
import org.openjdk.jmc.flightrecorder.jdk.JdkFilters;
import org.openjdk.jmc.flightrecorder.rules.IRule;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import uprobe.jmc.recording.Events;

/**
 * plugin.xml and pages.xml against what of Mission Control is on Maven Central: parser, filters, attributes. Its user interface is
 * not; where a rule of it is repeated here, its class is named.
 */
class DeclarationsTest {

    private static final String UI = "org.openjdk.jmc.flightrecorder.ui.";
    private static final List<String> HITS = List.of("uprobe.zlib.deflate", "uprobe.NativeCall", "uprobe.a.ProbeArmed");
    private static final List<String> ABOUT_PROBES =
            List.of("uprobe.ProbeArmed", "uprobe.ProbeRefused", "uprobe.ProbeStatistics", "uprobe.DataLoss");

    private static IItemCollection items;
    private static List<IState> pages;

    @BeforeAll
    static void readPagesAsMissionControlDoes() throws Exception {
        items = SyntheticRecording.of(() -> {
            Archive.pack(1, 1);
            Archive.verify(1);
            new Events.ProbeArmed().commit();
            new Events.ProbeRefused().commit();
            new Events.ProbeStatistics().commit();
            new Events.DataLoss().commit();
        }).items();
        pages = allPages(StateToolkit.fromXMLString(resource("pages.xml"))).toList();
    }

    @Test
    void pluginXmlProvidesRulesAndPages() throws Exception {
        Document plugin = xml("plugin.xml");

        Element rules = extension(plugin, "org.openjdk.jmc.flightrecorder.rules.ruleProvider");
        Element datapage = extension(plugin, UI + "datapage");
        Element pagesElement = (Element) datapage.getElementsByTagName("pages").item(0);

        assertEquals(1, rules.getElementsByTagName("ruleProvider").getLength());
        assertNotNull(getClass().getResource("/" + pagesElement.getAttribute("file")), "no such file in the bundle");
        assertTrue(pagesElement.getAttribute("weight").compareTo("100") > 0, "above Mission Control's own pages");
    }

    @Test
    void servicesNameTheRule() throws IOException {
        List<String> names = resource("META-INF/services/" + IRule.class.getName()).lines().toList();

        assertEquals(List.of(NativeCallsByJavaCallerRule.class.getName()), names);
    }

    @Test
    void pagesUseFactoriesOfMissionControlAndIdsOfTheirOwn() {
        Set<String> ids = new HashSet<>();
        for (IState page : pages) {
            assertTrue(Set.of(UI + "itemhandler", UI + "threads").contains(page.getAttribute("factory")), page.toString());
            assertTrue(page.getAttribute("id").matches("uprobe\\.jmc\\.[a-z]+\\.\\d+"), page.getAttribute("id"));
            assertTrue(ids.add(page.getAttribute("id")), "two pages " + page.getAttribute("id"));
        }
        assertEquals(3, pages.size());
    }

    @Test
    void thePageOfTheProbesHasTheTopicOfTheRule() {
        IState topic = page("probes").getChild("state").getChild("topic");

        assertEquals(new NativeCallsByJavaCallerRule().getTopic(), topic.getAttribute("value"));
    }

    @Test
    void thePageAndTheLaneOfTheProbesShowHitsOnly() {
        IState lane = lane("Native Probes");

        for (IState filter : List.of(page("probes").getChild("state").getChild("pageFilter"), lane.getChild("filter"))) {
            assertTrue(HITS.stream().allMatch(accepts(filter)::apply));
            assertTrue(ABOUT_PROBES.stream().noneMatch(accepts(filter)::apply));
            assertFalse(accepts(filter).apply("jdk.ExecutionSample"));
            assertEquals(Set.of("uprobe.zlib.deflate", "uprobe.zlib.crc32"), typesIn(items.apply(read(filter))));
        }
    }

    @Test
    void theRuleCountsWhatThePageShows() {
        for (String type : Stream.concat(HITS.stream(), ABOUT_PROBES.stream()).toList()) {
            assertEquals(ProbeEvents.isHit(type), accepts(page("probes").getChild("state").getChild("pageFilter")).apply(type));
        }
    }

    @Test
    void thePageOfTheProbesStateShowsTheRest() {
        IState filter = page("state").getChild("state").getChild("pageFilter");

        assertTrue(ABOUT_PROBES.stream().allMatch(accepts(filter)::apply));
        assertTrue(HITS.stream().noneMatch(accepts(filter)::apply));
    }

    /** A Threads page that names lanes has these only: Mission Control's own would be lost (ThreadGraphLanes). */
    @Test
    void theLaneOfJavaLatenciesIsMissionControls() {
        Set<String> types = Stream.of(lane("Java Latencies").getChild("filter").getChildren("filter"))
                .map(filter -> filter.getAttribute("type")).collect(Collectors.toSet());
        Set<String> own = ((ItemFilters.Types) JdkFilters.THREAD_LATENCIES).getTypes();

        assertEquals(new TreeSet<>(own), new TreeSet<>(types));
    }

    @Test
    void pagesGroupByAttributesThatAllTheirTypesHave() {
        for (IState page : pages) {
            IState histogram = page.getChild("state").getChild("histogram");
            if (histogram != null) {
                for (IItemIterable type : itemsOf(page)) {
                    assertTrue(attributesOf(type).stream().map(IAttribute::getIdentifier)
                            .anyMatch(histogram.getAttribute("groupBy")::equals), type.getType().getIdentifier());
                }
            }
        }
    }

    /** Column ids as ItemHandlerPage and ItemList make them from the events on the page. */
    @Test
    void everyColumnExists() {
        Pattern aggregate = Pattern.compile("(SUM|AVG|MIN|MAX|STDDEVP)(.+)");
        int columns = 0;
        for (IState page : pages) {
            IState histogram = page.getChild("state").getChild("histogram");
            if (histogram == null) {
                continue;
            }
            for (IState column : histogram.getChild("table").getChildren("column")) {
                String id = column.getAttribute("id");
                Matcher aggregated = aggregate.matcher(id);
                if (aggregated.matches()) {
                    IAttribute<?> attribute = attributeOf(page, aggregated.group(2));
                    boolean needsSum = Set.of("SUM", "STDDEVP").contains(aggregated.group(1));
                    Class<?> kind = needsSum ? LinearKindOfQuantity.class : KindOfQuantity.class;
                    assertTrue(kind.isInstance(attribute.getContentType()), id);
                } else {
                    assertTrue(Set.of("itemhistogram.key", "itemhistogram.count").contains(id), id);
                }
                columns++;
            }
            assertTrue(Stream.of(histogram.getChild("table").getChildren("column")).map(column -> column.getAttribute("id"))
                    .anyMatch(histogram.getChild("table").getAttribute("sortColumn")::equals), "sorted by a column not shown");
            for (IState column : listColumns(page)) {
                assertNotNull(attributeOf(page, column.getAttribute("id")));
                columns++;
            }
        }
        assertTrue(columns > 7);
    }

    /** Deprecated in favour of nothing: the pages themselves find their columns by it (AttributeComponentConfiguration). */
    @SuppressWarnings("deprecation")
    private static List<IAttribute<?>> attributesOf(IItemIterable items) {
        return items.getType().getAttributes();
    }

    private static IAttribute<?> attributeOf(IState page, String columnId) {
        Set<String> known = new TreeSet<>();
        for (IItemIterable type : itemsOf(page)) {
            for (IAttribute<?> attribute : attributesOf(type)) {
                String id = attribute.getIdentifier() + ':' + attribute.getContentType().getIdentifier();
                if (id.equals(columnId)) {
                    return attribute;
                }
                known.add(id);
            }
        }
        throw new AssertionError(columnId + " is none of " + known);
    }

    private static List<IState> listColumns(IState page) {
        IState list = page.getChild("state").getChild("listAndChart");
        return list == null ? List.of() : List.of(list.getChild("listSettings").getChildren("column"));
    }

    private static IItemCollection itemsOf(IState page) {
        return items.apply(read(page.getChild("state").getChild("pageFilter")));
    }

    private static IItemFilter read(IState filter) {
        return PersistableItemFilter.readFrom(filter);
    }

    private static Function<String, Boolean> accepts(IState filter) {
        Pattern types = Pattern.compile(filter.getAttribute("typeMatches"));
        return type -> types.matcher(type).matches();
    }

    private static Set<String> typesIn(IItemCollection items) {
        Set<String> types = new HashSet<>();
        items.stream().filter(IItemIterable::hasItems).forEach(type -> types.add(type.getType().getIdentifier()));
        return types;
    }

    private static IState lane(String name) {
        return Stream.of(page("threads").getChild("state").getChildren("threadLane"))
                .filter(lane -> name.equals(lane.getAttribute("name")) && "true".equals(lane.getAttribute("enabled")))
                .findAny().orElseThrow();
    }

    private static IState page(String name) {
        return pages.stream().filter(page -> page.getAttribute("id").matches("uprobe\\.jmc\\." + name + "\\.\\d+"))
                .findAny().orElseThrow();
    }

    private static Stream<IState> allPages(IState parent) {
        return Stream.of(parent.getChildren("page")).flatMap(page -> Stream.concat(Stream.of(page), allPages(page)));
    }

    private static Element extension(Document plugin, String point) {
        NodeList extensions = plugin.getElementsByTagName("extension");
        List<Element> found = new ArrayList<>();
        for (int i = 0; i < extensions.getLength(); i++) {
            Element extension = (Element) extensions.item(i);
            if (extension.getAttribute("point").equals(point)) {
                found.add(extension);
            }
        }
        assertEquals(1, found.size(), point);
        return found.get(0);
    }

    private static Document xml(String name) throws Exception {
        try (InputStream in = DeclarationsTest.class.getResourceAsStream("/" + name)) {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
        }
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = DeclarationsTest.class.getResourceAsStream("/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
