package envelope

import (
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
)

// inDocument is how many levels data lies deep in an event, and that in a batch or
// another document.
const inDocument = 8

// showsJSON tells whether data can stand in a document as it is.
func showsJSON(data []byte) bool { return jsonwalk.Valid(data, inDocument) && utf8.Valid(data) }

// IsJSON tells whether a content type says that data is JSON; none does.
func IsJSON(content string) bool {
	switch content {
	case "", JSON:
		return true
	case typeText, typeBytes:
		return false
	}
	kind, _, err := mime.ParseMediaType(content)
	return err == nil && (strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json"))
}

// appendData writes the member for data, a comma before it: as it is where it is
// JSON, a string where it is another text, else base64 under CloudEvents' name.
func (e *Event) appendData(dst []byte, called string) []byte {
	if e.Data == nil {
		return dst
	}
	asJSON := IsJSON(e.DataContentType)
	switch {
	case asJSON && showsJSON(e.Data):
		dst = append(append(append(dst, `,"`...), called...), `":`...)
		return append(dst, e.Data...)
	case !asJSON && utf8.Valid(e.Data):
		dst = append(append(append(dst, `,"`...), called...), `":`...)
		return jsonwalk.AppendString(dst, e.Data)
	}
	dst = append(dst, `,"data_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, e.Data)
	return append(dst, '"')
}

// readData takes a member for data, once the content type is known.
func (e *Event) readData(called string, plain, encoded []byte) error {
	switch {
	case plain != nil && encoded != nil:
		return fmt.Errorf("the event has both %s and data_base64; leave one of them out", called)
	case encoded != nil:
		text, ok := jsonwalk.String(encoded)
		if !ok {
			return fmt.Errorf("data_base64 is %.40s; want a string of base64", encoded)
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("data_base64: %w", err)
		}
		e.Data = data
	case plain != nil:
		e.Data = plain
		if !IsJSON(e.DataContentType) {
			if text, ok := jsonwalk.String(plain); ok {
				e.Data = []byte(text)
			}
		}
	}
	return nil
}
