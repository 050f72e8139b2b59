package schema

import "ottla/internal/wire/field"

// reader takes fields off a record; its methods here take what several records
// have in common.
type reader struct{ field.Reader }

func read(b []byte) *reader { return &reader{field.Reader{Rest: b}} }
