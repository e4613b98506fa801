package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import uprobe.probe.helper.Helper;

class HitRecordDescriptorTest {
    /** The helper refuses to load otherwise; here it is asked once more, so that the numbers are in a test report. */
    @Test
    void standsInJavaAsItStandsInC() throws Exception {
        Helper.load();
        int[] c = new int[64];
        int n = Helper.up_layout(c, c.length);
        assertArrayEquals(HitRecordDescriptor.expected(), Arrays.copyOf(c, n));
    }

    @Test
    void writesNoMoreNumbersThanThereIsRoomFor() throws Exception {
        Helper.load();
        int[] c = {-1, -1, -1, -1};
        assertTrue(Helper.up_layout(c, 2) > 4);
        assertArrayEquals(new int[] {1, 0, -1, -1}, c);
    }

    /** The picture in the Javadoc: widths add up without a gap. */
    @Test
    void hasNoGapsBetweenItsParts() {
        int[] starts = {HitRecordDescriptor.STATE, HitRecordDescriptor.LENGTH, HitRecordDescriptor.MISSING, HitRecordDescriptor.PROBE,
                HitRecordDescriptor.FLAGS, HitRecordDescriptor.TIME, HitRecordDescriptor.CALL, HitRecordDescriptor.VALUES};
        int[] widths = {Integer.BYTES, Short.BYTES, Short.BYTES, Integer.BYTES, Integer.BYTES, Long.BYTES, Long.BYTES};
        for (int i = 0; i < widths.length; i++) {
            assertEquals(starts[i + 1], starts[i] + widths[i]);
        }
    }
}
