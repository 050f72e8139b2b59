package constraint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"ottla/internal/gateway/aws/protocol"
)

// Broken are constraints that a request does not keep. The zero value is none.
type Broken []string

// Value is of a member whose value must be something else: "have length …".
func (b *Broken) Value(member, value, must string) {
	*b = append(*b, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, member, must))
}

// Null is of what a request lacks.
func (b *Broken) Null(member string) {
	*b = append(*b, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member))
}

// Length is of a text's characters.
func (b *Broken) Length(member, value string, least, most int) {
	switch n := utf8.RuneCountInString(value); {
	case n < least:
		b.Value(member, value, fmt.Sprintf("have length greater than or equal to %d", least))
	case n > most:
		b.Value(member, value, fmt.Sprintf("have length less than or equal to %d", most))
	}
}

// Count is of a list or a map with n items.
func (b *Broken) Count(member string, n, least, most int) {
	what := fmt.Sprintf("%d items", n)
	switch {
	case n < least:
		b.Value(member, what, fmt.Sprintf("have length greater than or equal to %d", least))
	case n > most:
		b.Value(member, what, fmt.Sprintf("have length less than or equal to %d", most))
	}
}

// Number is of a whole number.
func (b *Broken) Number(member string, value, least, most int64) {
	switch {
	case value < least:
		b.Value(member, fmt.Sprint(value), fmt.Sprintf("have value greater than or equal to %d", least))
	case value > most:
		b.Value(member, fmt.Sprint(value), fmt.Sprintf("have value less than or equal to %d", most))
	}
}

// OneOf is of members that may be left out.
func (b *Broken) OneOf(member, value string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		b.Value(member, value, "satisfy enum value set: ["+strings.Join(values, ", ")+"]")
	}
}

// Match is of a text that a pattern describes, which stands in the answer.
func (b *Broken) Match(member, value, pattern string, matches bool) {
	if !matches {
		b.Value(member, value, "satisfy regular expression pattern: "+pattern)
	}
}

// Pattern is a regular expression of a service's model; it is to fit whole texts.
type Pattern struct {
	text string
	is   *regexp.Regexp
}

// MustPattern makes one; it panics where Go cannot read it.
func MustPattern(text string) Pattern {
	return Pattern{text, regexp.MustCompile(`\A(?:` + text + `)\z`)}
}

// Fits is Match by the pattern itself.
func (b *Broken) Fits(member, value string, p Pattern) {
	b.Match(member, value, p.text, p.is.MatchString(value))
}

// Err is the answer to what is broken, nil when nothing is.
func (b Broken) Err() error {
	switch len(b) {
	case 0:
		return nil
	case 1:
		return protocol.Errorf("ValidationException", "1 validation error detected: %s", b[0])
	}
	return protocol.Errorf("ValidationException", "%d validation errors detected: %s", len(b), strings.Join(b, "; "))
}
