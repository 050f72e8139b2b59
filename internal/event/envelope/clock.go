package envelope

import "time"

// ParseTime reads RFC 3339 as milliseconds since 1970; what is finer is cut off.
func ParseTime(text string) (ms int64, ok bool) {
	if text == "" {
		return 0, false
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.UnixMilli(), err == nil
}

// lastMs is the last that RFC 3339 can say.
const lastMs = 253402300799999

// AppendTime writes a time in RFC 3339: UTC, with milliseconds where there are any.
func AppendTime(dst []byte, ms int64) []byte {
	at := time.UnixMilli(min(max(ms, 0), lastMs)).UTC()
	if ms%1000 == 0 {
		return at.AppendFormat(dst, "2006-01-02T15:04:05Z")
	}
	return at.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}
