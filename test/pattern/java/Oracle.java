import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.Patterns;

/**
 * Answers which events fit which patterns. A line in is a JSON array of
 * {"pattern": text, "events": [text, ...]}; the line out is an array of strings: 1, 0
 * or x (the event is refused) for each event, or ! and why the pattern is refused.
 */
public final class Oracle {
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ArrayNode answers = json.createArrayNode();
            for (JsonNode question : json.readTree(line)) {
                answers.add(answer(question));
            }
            out.println(json.writeValueAsString(answers));
            out.flush();
        }
    }

    private static String answer(JsonNode question) {
        Machine machine = Machine.builder().withOverridesForDuplicateRules(false).build();
        try {
            List<Map<String, List<Patterns>>> all = JsonRuleCompiler.compile(question.get("pattern").asText(), false);
            for (Map<String, List<Patterns>> one : all) {
                machine.addPatternRule("r", one);
            }
        } catch (Exception | StackOverflowError e) {
            return "!" + e.getMessage();
        }
        StringBuilder fits = new StringBuilder();
        for (JsonNode event : question.get("events")) {
            try {
                fits.append(machine.rulesForJSONEvent(event.asText()).isEmpty() ? '0' : '1');
            } catch (Exception e) {
                fits.append('x');
            }
        }
        return fits.toString();
    }
}
