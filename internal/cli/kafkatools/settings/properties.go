package settings

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/cli/kafkatools/words"
)

// Properties are client settings by Kafka's names.
type Properties map[string]string

// Read reads a file in Java's properties format: key=value, key:value
// or key value, # and ! begin a comment, a backslash at the end of a line joins
// the next to it.
func Read(path string) (Properties, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the settings of a client: %w", err)
	}
	out := Properties{}
	joined := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimLeft(strings.TrimRight(line, "\r\n"), " \t\f")
		if joined == "" && (line == "" || line[0] == '#' || line[0] == '!') {
			continue
		}
		if slashes := len(line) - len(strings.TrimRight(line, `\`)); slashes%2 == 1 {
			joined += line[:len(line)-1]
			continue
		}
		key, value := splitProperty(joined + line)
		out[key] = value
		joined = ""
	}
	if joined != "" {
		key, value := splitProperty(joined)
		out[key] = value
	}
	return out, nil
}

func splitProperty(line string) (key, value string) {
	end := strings.IndexAny(line, "=: \t\f")
	if end < 0 {
		return line, ""
	}
	rest := strings.TrimLeft(line[end:], " \t\f")
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = rest[1:]
	}
	return line[:end], unescape(strings.TrimLeft(rest, " \t\f"))
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r", `\f`, "\f", `\`, "").Replace(s)
}

// Pairs reads key=value arguments; a key alone stands for an empty value.
func Pairs(args []string) Properties {
	out := Properties{}
	for _, a := range args {
		k, v, _ := strings.Cut(a, "=")
		out[k] = v
	}
	return out
}

// Refuse stops before a promise about safety is broken silently.
func (p Properties) Refuse() error {
	if v := p["security.protocol"]; v != "" && !strings.EqualFold(v, "PLAINTEXT") {
		return fmt.Errorf("security.protocol=%s is not spoken by this tool yet: only PLAINTEXT is", v)
	}
	for _, name := range []string{"sasl.mechanism", "sasl.jaas.config", "ssl.keystore.location", "ssl.truststore.location"} {
		if p[name] != "" {
			return fmt.Errorf("%s is set, but this tool speaks neither SASL nor TLS yet", name)
		}
	}
	if p["interceptor.classes"] != "" || p["partitioner.class"] != "" {
		return errors.New("interceptor.classes and partitioner.class name Java code, which this tool cannot run")
	}
	return nil
}

// unknownTo lists what is set and not in known, sorted.
func (p Properties) unknownTo(known map[string]bool) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(p)) {
		if !known[k] {
			out = append(out, k)
		}
	}
	return out
}

// Integer reads a number, otherwise when it is not set.
func (p Properties) Integer(name string, otherwise int64) (int64, error) {
	if p[name] == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(p[name], 10, 64)
	if err != nil {
		return 0, words.New("Invalid value %s for configuration %s: not a number", p[name], name)
	}
	return n, nil
}
