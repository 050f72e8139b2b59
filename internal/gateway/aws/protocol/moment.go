package protocol

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Moment is a time in milliseconds since 1970; on the wire it is seconds, perhaps
// with a fraction.
type Moment int64

// mostSeconds bounds moments, in both directions.
const mostSeconds = 1e11

// MomentOf is the moment so many seconds after 1970; false where there is none.
func MomentOf(seconds int64) (Moment, bool) {
	return Moment(seconds * 1000), -mostSeconds <= seconds && seconds <= mostSeconds
}

// MarshalJSON writes seconds.
func (m Moment) MarshalJSON() ([]byte, error) {
	if m%1000 == 0 {
		return strconv.AppendInt(nil, int64(m)/1000, 10), nil
	}
	return strconv.AppendFloat(nil, float64(m)/1000, 'f', 3, 64), nil
}

// UnmarshalJSON reads seconds, or a date and time as some clients write it.
func (m *Moment) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Errorf("read a time: %w", err)
		}
		*m = Moment(t.UnixMilli())
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(f) > mostSeconds {
		return fmt.Errorf("%.40s is no time: want seconds since 1970", b)
	}
	*m = Moment(math.Round(f * 1000))
	return nil
}
