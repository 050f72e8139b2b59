import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

/**
 * Measures one load: Rates RULES-FILE EVENTS-FILE lean|default. Lines of both files
 * are JSON. Times are those of processors, so that a busy machine measures the same.
 * Prints events a second, bytes a rule, and microseconds to add one, to
 * add one more when all are there, to delete one; and how many matches there were.
 */
public final class Rates {
    private static final int MORE = 1000;
    private static final long WARM = 2_000_000_000L;
    private static final long SPAN = 3_000_000_000L;

    public static void main(String[] args) throws Exception {
        List<String> rules = Files.readAllLines(Path.of(args[0]));
        List<String> events = Files.readAllLines(Path.of(args[1]));
        int n = Math.max(rules.size() - MORE, 1);
        Machine machine = Machine.builder().withAdditionalNameStateReuse(args[2].equals("lean")).build();
        long before = used();
        long start = cpu();
        for (int i = 0; i < n; i++) {
            machine.addRule("rule-" + i, rules.get(i));
        }
        double add = (cpu() - start) / 1e3 / n;
        double bytes = (double) (used() - before) / n;
        run(machine, events, WARM, null);
        long[] matches = new long[1];
        double rate = run(machine, events, SPAN, matches);
        // In rounds, because the clock of a process may have steps of ten milliseconds.
        long added = 0;
        long deleted = 0;
        double changes = 0;
        while (added + deleted < SPAN) {
            start = cpu();
            for (int i = n; i < rules.size(); i++) {
                machine.addRule("rule-" + i, rules.get(i));
            }
            long half = cpu();
            for (int i = n; i < rules.size(); i++) {
                machine.deleteRule("rule-" + i, rules.get(i));
            }
            added += half - start;
            deleted += cpu() - half;
            changes += rules.size() - n;
        }
        double more = added / 1e3 / changes;
        double delete = deleted / 1e3 / changes;
        System.out.printf("{\"rate\":%.1f,\"bytes\":%.1f,\"add\":%.3f,\"more\":%.3f,\"delete\":%.3f,\"matches\":%d}%n",
                rate, bytes, add, more, delete, matches[0]);
    }

    /** Matches for a span, and counts the matches of the first round of events. */
    private static double run(Machine machine, List<String> events, long span, long[] matches) throws Exception {
        long start = cpu();
        long done = 0;
        while (true) {
            for (String event : events) {
                int found = machine.rulesForJSONEvent(event).size();
                if (matches != null && done < events.size()) {
                    matches[0] += found;
                }
                done++;
                if ((done & 255) == 0 && done >= (matches == null ? 0 : events.size()) && cpu() - start > span) {
                    return done * 1e9 / (cpu() - start);
                }
            }
        }
    }

    /** The time that processors have spent on this process, in nanoseconds. */
    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static long used() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
