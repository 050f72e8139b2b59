package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// checker looks at a value in normal form. reason is "" when it is good, else
// what is wrong in Kafka's words; element is set when one element of a list is
// to blame.
type checker func(normal string) (reason, element string)

// parseValid turns Kafka's text of a range into its check. Every form that
// stands in the table is known here; another is an error.
func parseValid(typ, valid string) (checker, error) {
	switch valid {
	case "":
		return nil, nil
	case "[1,...,9] or -1":
		return gzipLevel, nil
	case "non-empty string":
		return nonEmpty("String must be non-empty"), nil
	case "non-null string":
		return nil, nil
	case "non-empty list":
		return nil, nil // an absent list is what Kafka means here; it allows none given
	case "[partitionId]:[brokerId],[partitionId]:[brokerId],...":
		return throttledReplicas, nil
	case "[latest, earliest, by_duration:PnDTnHnMn.nS]":
		return offsetReset, nil
	}
	if strings.HasPrefix(valid, "keys [") {
		return clientMatch(valid)
	}
	if rest, ok := strings.CutPrefix(valid, "(case insensitive) "); ok {
		return oneOf(typ, rest, true)
	}
	if strings.Contains(valid, "...") {
		return numberRange(valid)
	}
	return oneOf(typ, valid, false)
}

func gzipLevel(v string) (string, string) {
	n, _ := strconv.ParseInt(v, 10, 64)
	if n == -1 || n >= 1 && n <= 9 {
		return "", ""
	}
	return "Value must be between 1 and 9 or equal to -1", ""
}

func nonEmpty(reason string) checker {
	return func(v string) (string, string) {
		if v == "" {
			return reason, ""
		}
		return "", ""
	}
}

// throttledReason is Kafka's; the setting's name goes in front of it.
const throttledReason = "must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."

var throttledForm = regexp.MustCompile(`^(\*|[0-9]+:[0-9]+(,[0-9]+:[0-9]+)*)?$`)

func throttledReplicas(v string) (string, string) {
	if throttledForm.MatchString(v) {
		return "", ""
	}
	return throttledReason, "[" + strings.ReplaceAll(v, ",", ", ") + "]"
}

var resetDuration = regexp.MustCompile(`^by_duration:P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?$`)

func offsetReset(v string) (string, string) {
	l := strings.ToLower(v)
	if l == "latest" || l == "earliest" {
		return "", ""
	}
	if resetDuration.MatchString(v) && v[len(v)-1] != 'P' && v[len(v)-1] != 'T' {
		return "", ""
	}
	return "Invalid value `" + v + "` for configuration share.auto.offset.reset. " +
		"The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.", ""
}

// clientMatch checks a client-metrics match: pairs of a known key and a
// regular expression (KIP-714).
func clientMatch(valid string) (checker, error) {
	open, end := strings.IndexByte(valid, '['), strings.IndexByte(valid, ']')
	if open < 0 || end < open {
		return nil, fmt.Errorf("no keys in %q", valid)
	}
	keys := strings.Split(valid[open+1:end], ", ")
	return func(v string) (string, string) {
		for _, pair := range splitList(v) {
			key, expr, ok := strings.Cut(pair, "=")
			if !ok {
				return "Illegal client matching pattern: " + pair, ""
			}
			if !contains(keys, strings.TrimSpace(key)) {
				return "Illegal client matching pattern: " + pair, ""
			}
			if _, err := regexp.Compile(strings.TrimSpace(expr)); err != nil {
				return "Illegal client matching pattern: " + pair, ""
			}
		}
		return "", ""
	}, nil
}

// oneOf reads "[a, b, c]".
func oneOf(typ, text string, anyCase bool) (checker, error) {
	inner, ok := strings.CutPrefix(text, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	if !ok || !ok2 {
		return nil, fmt.Errorf("valid values %q are in no form that is known here", text)
	}
	allowed := strings.Split(inner, ", ")
	reason := "String must be one of: " + inner
	if anyCase {
		reason = "String must be one of (case insensitive): " + inner
	}
	fits := func(v string) bool {
		if !anyCase {
			return contains(allowed, v)
		}
		for _, a := range allowed {
			if strings.EqualFold(a, v) {
				return true
			}
		}
		return false
	}
	if typ != "list" {
		return func(v string) (string, string) {
			if fits(v) {
				return "", ""
			}
			return reason, ""
		}, nil
	}
	return func(v string) (string, string) {
		for _, e := range splitList(v) {
			if !fits(e) {
				return reason, e
			}
		}
		return "", ""
	}, nil
}

func contains(list []string, v string) bool {
	for _, e := range list {
		if e == v {
			return true
		}
	}
	return false
}

// numberRange reads "[low,...]" or "[low,...,high]".
func numberRange(text string) (checker, error) {
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	parts := strings.Split(inner, ",")
	if len(parts) < 2 || len(parts) > 3 || parts[1] != "..." {
		return nil, fmt.Errorf("range %q is in no form that is known here", text)
	}
	low, err := strconv.ParseFloat(parts[0], 64)
	if err != nil {
		return nil, fmt.Errorf("range %q: %w", text, err)
	}
	lowText, highText, high := parts[0], "", 0.0
	if len(parts) == 3 {
		highText = parts[2]
		if high, err = strconv.ParseFloat(highText, 64); err != nil {
			return nil, fmt.Errorf("range %q: %w", text, err)
		}
	}
	return func(v string) (string, string) {
		n, _ := strconv.ParseFloat(v, 64)
		switch {
		case n < low:
			return "Value must be at least " + lowText, ""
		case highText != "" && n > high:
			return "Value must be no more than " + highText, ""
		}
		return "", ""
	}, nil
}
