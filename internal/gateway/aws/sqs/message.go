package sqs

import (
	"strings"
	"unicode/utf8"

	"ottla/internal/gateway/aws/protocol"
)

// Limits of messages.
const (
	maxBytes      = 1 << 20 // body and attributes of a message, and of a whole batch
	maxAttributes = 10
	maxAttribute  = 256 // characters of a name, and of a data type
	maxDelay      = 900
	maxID         = 128 // characters of group and deduplication ids
)

// Attribute is the value of a message attribute.
type Attribute struct {
	DataType    string  `json:"DataType"`
	StringValue *string `json:"StringValue,omitempty"`
	BinaryValue []byte  `json:"BinaryValue,omitempty"`
	// The lists are in the model and, as at AWS, never used.
	StringListValues []string `json:"StringListValues,omitempty" query:"StringListValue"`
	BinaryListValues [][]byte `json:"BinaryListValues,omitempty" query:"BinaryListValue"`
}

// bytes are the value's, as it is stored.
func (a Attribute) bytes() []byte {
	if a.StringValue != nil {
		return []byte(*a.StringValue)
	}
	return a.BinaryValue
}

// isBinary tells a type whose values are bytes; Binary may have a label.
func isBinary(dataType string) bool {
	base, _, _ := strings.Cut(dataType, ".")
	return base == "Binary"
}

// checkAttributes checks the attributes of a message and gives their size.
func checkAttributes(all map[string]Attribute) (size int, err *protocol.Error) {
	if len(all) > maxAttributes {
		return 0, badParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(all), maxAttributes)
	}
	for _, name := range sorted(all) {
		a := all[name]
		if err := checkAttributeName(name); err != nil {
			return 0, err
		}
		if err := a.check(name); err != nil {
			return 0, err
		}
		size += len(name) + len(a.DataType) + len(a.bytes())
	}
	return size, nil
}

func checkAttributeName(name string) *protocol.Error {
	lower := strings.ToLower(name)
	switch {
	case name == "" || len(name) > maxAttribute:
		return badParameter("The message attribute name '%s' is invalid: it has 1 to %d characters.", name, maxAttribute)
	case strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "":
		return badParameter("The message attribute name '%s' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.", name)
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return badParameter("The message attribute name '%s' is invalid: it cannot start with AWS. or Amazon.", name)
	case name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, ".."):
		return badParameter("The message attribute name '%s' is invalid: it cannot start or end with a period, or have two in succession.", name)
	}
	return nil
}

func (a Attribute) check(name string) *protocol.Error {
	base, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case a.DataType == "":
		return badParameter("The message attribute '%s' must contain a non-empty message attribute type.", name)
	case len(a.DataType) > maxAttribute:
		return badParameter("The message attribute '%s' has a type of more than %d bytes.", name, maxAttribute)
	case base != "String" && base != "Number" && base != "Binary":
		return badParameter("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case len(a.StringListValues) > 0 || len(a.BinaryListValues) > 0:
		return refusal("UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported.")
	case base == "Binary" && a.StringValue != nil, base != "Binary" && a.BinaryValue != nil:
		return badParameter("The message attribute '%s' with type '%s' must use field '%s'.", name, base, valueField(base))
	case len(a.bytes()) == 0:
		return badParameter("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, base)
	case base == "Number" && !number(*a.StringValue):
		return badParameter("Can't cast the value of message (user) attribute '%s' to a number.", name)
	case a.StringValue != nil && !permitted(*a.StringValue):
		return badParameter("The message attribute '%s' has characters that are not allowed.", name)
	}
	return nil
}

func valueField(base string) string {
	if base == "Binary" {
		return "BinaryValue"
	}
	return "StringValue"
}

// number tells a decimal number, with a fraction and an exponent at will.
func number(s string) bool {
	s = strings.TrimSpace(s)
	s = strings.TrimLeft(s, "+-")
	mantissa, exponent, has := strings.Cut(strings.ToLower(s), "e")
	if has {
		exponent = strings.TrimLeft(exponent, "+-")
		if exponent == "" || strings.Trim(exponent, "0123456789") != "" {
			return false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return whole+fraction != "" && strings.Trim(whole+fraction, "0123456789") == ""
}

// permitted tells a text that has only the characters which SQS takes: those of
// XML 1.0.
func permitted(s string) bool {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n < 2 {
				return false
			}
		case r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return false
		}
	}
	return true
}

// checkID checks a group or deduplication id.
func checkID(parameter, id string) *protocol.Error {
	if len(id) > maxID {
		return badParameter("Value %s for parameter %s is invalid. Reason: %s can only include alphanumeric and punctuation characters. 1 to %d in length.", id, parameter, parameter, maxID)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7F {
			return badParameter("Value %s for parameter %s is invalid. Reason: %s can only include alphanumeric and punctuation characters. 1 to %d in length.", id, parameter, parameter, maxID)
		}
	}
	return nil
}
