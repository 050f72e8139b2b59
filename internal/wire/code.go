package wire

import "strconv"

// Code is a Kafka error code. It is an error itself; None is the exception: a
// function that succeeds returns nil, never None as an error.
type Code int16

// Error gives Kafka's name and our default text.
func (c Code) Error() string {
	if t := c.Text(); t != "" {
		return c.Name() + ": " + t
	}
	return c.Name()
}

// Name is Kafka's name of the code, such as UNKNOWN_TOPIC_OR_PARTITION.
func (c Code) Name() string {
	if i := c.info(); i != nil {
		return i.name
	}
	return "UNKNOWN_CODE_" + strconv.Itoa(int(c))
}

// Text is our default text, empty for None.
func (c Code) Text() string {
	if i := c.info(); i != nil {
		return i.text
	}
	return ""
}

// Retriable tells whether Kafka's clients try again on this code.
func (c Code) Retriable() bool {
	i := c.info()
	return i != nil && i.retriable
}

// info is nil for a number that Kafka 4.4 does not know.
func (c Code) info() *codeInfo {
	if i := int(c) - int(firstCode); i >= 0 && i < len(codeTable) {
		return &codeTable[i]
	}
	return nil
}
