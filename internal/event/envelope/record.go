package envelope

// Record gives what is stored of an event: attributes are headers, data is the
// value. A foreign record is given as it is. Bytes are shared.
func (e *Event) Record() (key, value []byte, headers []Header) {
	if e.Foreign {
		return e.Key, e.Data, e.Headers
	}
	headers = make([]Header, 0, 8+len(e.Extensions)+len(e.Headers))
	add := func(called, value string) {
		if value != "" {
			headers = append(headers, Header{called, []byte(value)})
		}
	}
	add(contentType, e.DataContentType)
	add(prefix+"specversion", "1.0")
	add(prefix+"id", e.ID)
	add(prefix+"source", e.Source)
	add(prefix+"type", e.Type)
	add(prefix+"subject", e.Subject)
	add(prefix+"time", e.Time)
	add(prefix+"dataschema", e.DataSchema)
	for _, x := range e.Extensions {
		add(prefix+x.Name, x.Value)
	}
	return e.Key, e.Data, append(headers, e.Headers...)
}
