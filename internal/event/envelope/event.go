package envelope

// Event is one event, by CloudEvents' attributes. EventBridge's envelope says
// detail-type for Type, detail for Data; resources, account and region are the
// extensions ebresources, ebaccount and ebregion.
type Event struct {
	ID, Source, Type string
	Subject          string
	// Time is RFC 3339; "" is unknown. TimeMs is the same, since 1970.
	Time            string
	TimeMs          int64
	DataContentType string
	DataSchema      string
	// Extensions are sorted by name.
	Extensions []Extension
	Data       []byte
	// Key is the record's key.
	Key []byte
	// Headers are the record's that are no attributes, in their order.
	Headers []Header
}

// Extension is one extension attribute: a name of [a-z0-9] and a text.
type Extension struct{ Name, Value string }

// Header is a header of a record.
type Header struct {
	Name  string
	Value []byte
}
