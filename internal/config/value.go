package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// emptyElement marks a list with nothing between two commas, for which Kafka
// has a sentence of another shape.
const emptyElement = "values must not be empty"

// InvalidError says that a value does not fit a setting. Its text is the one
// that Kafka's tools print, since it goes out on the wire; files and flags add
// where the value stands.
type InvalidError struct {
	Def    *Def
	Value  string // as given, "***" for sensitive settings
	Reason string // what is wrong, in Kafka's words
	// element is set when one element of a list is wrong, not the list.
	element string
}

// Error tells the setting, the value and the bounds that it breaks.
func (e *InvalidError) Error() string {
	if e.Reason == emptyElement {
		return fmt.Sprintf("Configuration '%s' values must not be empty.", e.Def.Name)
	}
	v := e.Value
	if e.element != "" {
		v = e.element
	}
	reason := e.Reason
	if reason == throttledReason {
		reason = e.Def.Name + " " + reason
	}
	return fmt.Sprintf("Invalid value %s for configuration %s: %s", v, e.Def.Name, reason)
}

func (d *Def) invalid(value, reason string) *InvalidError {
	if d.Sensitive {
		value = "***"
	}
	return &InvalidError{Def: d, Value: value, Reason: reason}
}

// Check parses and range-checks a value and returns its normal form: spaces
// at the ends gone, numbers and booleans as Kafka writes them, lists without
// spaces round their commas. The error is an *InvalidError.
func (d *Def) Check(value string) (string, error) {
	v := strings.TrimSpace(value)
	if d.Name == "http.listen" && d.Own && strings.EqualFold(v, "off") {
		v = ""
	}
	normal, err := d.normal(v)
	if err != nil {
		return "", err
	}
	if d.check != nil {
		if reason, element := d.check(normal); reason != "" {
			e := d.invalid(normal, reason)
			e.element = element
			return "", e
		}
	}
	return normal, nil
}

// normal brings a trimmed value into the form of its type.
func (d *Def) normal(v string) (string, error) {
	switch d.Type {
	case "boolean":
		switch strings.ToLower(v) {
		case "true":
			return "true", nil
		case "false":
			return "false", nil
		}
		return "", d.invalid(v, "Expected value to be either true or false")
	case "short":
		return d.integer(v, 16, "SHORT")
	case "int":
		return d.integer(v, 32, "INT")
	case "long":
		return d.integer(v, 64, "LONG")
	case "double":
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(f) || strings.ContainsAny(v, "_xX") {
			return "", d.invalid(v, "Not a number of type DOUBLE")
		}
		return formatDouble(f), nil
	case "list":
		elements := splitList(v)
		if len(elements) > 0 && contains(elements, "") {
			return "", d.invalid(v, emptyElement)
		}
		return strings.Join(elements, ","), nil
	}
	return v, nil
}

func (d *Def) integer(v string, bits int, name string) (string, error) {
	n, err := strconv.ParseInt(v, 10, bits)
	if err != nil {
		return "", d.invalid(v, "Not a number of type "+name)
	}
	return strconv.FormatInt(n, 10), nil
}

// splitList reads a comma-separated list as Kafka does; an empty text is an
// empty list.
func splitList(v string) []string {
	if v == "" {
		return nil
	}
	parts := strings.Split(v, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// formatDouble writes a double as Java's Double.toString: at least one digit
// after the point, and a power of ten outside [1e-3, 1e7).
func formatDouble(f float64) string {
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-3 && abs < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'E', -1, 64)
	mantissa, exp, _ := strings.Cut(s, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mantissa + "E" + strconv.Itoa(n)
}
