package uprobe.agent.report;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import one.jfr.JfrReader;
import uprobe.agent.report.EventType.Field;
import uprobe.agent.report.EventType.Kind;
import uprobe.agent.report.EventType.Unit;

/**
 * The types of a chunk's events
 * <p>
 * The reader keeps no annotations, so it cannot tell ticks from bytes; of types with one name it knows one; and its fields' names are not to be had. So the
 * metadata is read here, with its way of reading numbers and strings. It is a tree: a name, attributes, children, all text by its number in a list.
 *
 * <pre>
 *   class id=1234 name=uprobe.zlib.deflate superType=jdk.jfr.Event
 *     field name=duration class=6                     of a class by its id: long
 *       annotation class=99 value=TICKS               likewise: jdk.jfr.Timespan
 * </pre>
 */
final class ChunkMetadata {
    private static final String TIMESPAN = "jdk.jfr.Timespan", DATA_AMOUNT = "jdk.jfr.DataAmount", ADDRESS = "jdk.jfr.MemoryAddress", UNSIGNED = "jdk.jfr.Unsigned";

    private record Element(String name, Map<String, String> attributes, List<Element> children) {
        String attribute(String key) {
            return attributes.getOrDefault(key, "");
        }
    }

    private final JfrReader reader;
    private final List<Element> classes = new ArrayList<>();
    private final Map<String, String> names = new HashMap<>();
    private String[] strings;

    private ChunkMetadata(JfrReader reader) {
        this.reader = reader;
    }

    /** Of those that are wanted alone. Leaves the buffer's position as it was. */
    static Map<Long, EventType> eventTypes(JfrReader reader, ByteBuffer chunk, Chunk header) {
        int position = chunk.position();
        chunk.position((int) header.metadata());
        Map<Long, EventType> types = new ChunkMetadata(reader).read();
        chunk.position(position);
        return types;
    }

    private Map<Long, EventType> read() {
        reader.getVarint();         /* size, type, start, duration, id */
        reader.getVarint();
        reader.getVarlong();
        reader.getVarlong();
        reader.getVarlong();
        strings = new String[reader.getVarint()];
        for (int i = 0; i < strings.length; i++) {
            strings[i] = reader.getString();
        }
        element();
        classes.forEach(each -> names.put(each.attribute("id"), each.attribute("name")));
        Map<Long, EventType> types = new HashMap<>();
        for (Element each : classes) {
            if (EventType.isWanted(each.attribute("name")) && each.attribute("superType").equals("jdk.jfr.Event")) {
                long id = Long.parseLong(each.attribute("id"));
                List<Field> fields = each.children.stream().filter(child -> child.name.equals("field")).map(this::field).toList();
                types.put(id, new EventType(id, each.attribute("name"), fields));
            }
        }
        return types;
    }

    private Element element() {
        String name = strings[reader.getVarint()];
        Map<String, String> attributes = new HashMap<>();
        for (int i = reader.getVarint(); i > 0; i--) {
            attributes.put(strings[reader.getVarint()], strings[reader.getVarint()]);
        }
        List<Element> children = new ArrayList<>();
        for (int i = reader.getVarint(); i > 0; i--) {
            children.add(element());
        }
        Element element = new Element(name, attributes, children);
        if (name.equals("class")) {
            classes.add(element);
        }
        return element;
    }

    private Field field(Element field) {
        String type = names.getOrDefault(field.attribute("class"), "");
        boolean pooled = field.attribute("constantPool").equals("true");
        boolean array = !field.attribute("dimension").isEmpty() && !field.attribute("dimension").equals("0");
        return new Field(field.attribute("name"), type, pooled, array ? Kind.UNREADABLE : pooled ? Kind.VARINT : kind(type), unit(field));
    }

    private static Kind kind(String type) {
        return switch (type) {
            case "long", "int", "short", "char" -> Kind.VARINT;
            case "byte", "boolean" -> Kind.BYTE;
            case "float" -> Kind.FLOAT;
            case "double" -> Kind.DOUBLE;
            case "java.lang.String" -> Kind.STRING;
            default -> Kind.UNREADABLE;
        };
    }

    private Unit unit(Element field) {
        for (Element annotation : field.children) {
            String value = annotation.attributes.getOrDefault("value", annotation.attribute("value-0"));
            switch (names.getOrDefault(annotation.attribute("class"), "")) {
                case TIMESPAN -> {
                    return Unit.valueOf(value);
                }
                case DATA_AMOUNT -> {
                    return value.equals("BYTES") ? Unit.BYTES : Unit.NONE;
                }
                case ADDRESS -> {
                    return Unit.ADDRESS;
                }
                case UNSIGNED -> {
                    return Unit.UNSIGNED;
                }
                default -> { }
            }
        }
        return Unit.NONE;
    }
}
