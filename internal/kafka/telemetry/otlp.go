package telemetry

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// point is what one metric of a push comes to.
type point struct {
	name  string
	count int     // data points
	sum   float64 // of their values, where they are deltas of a sum
	delta bool
}

// Numbers of the fields of MetricsData that are walked; all else is passed by.
const (
	fieldResourceMetrics = 1 // of MetricsData
	fieldScopeMetrics    = 2 // of ResourceMetrics
	fieldMetrics         = 2 // of ScopeMetrics
	fieldName            = 1 // of Metric
	fieldGauge           = 5
	fieldSum             = 7
	fieldHistogram       = 9
	fieldExponential     = 10
	fieldSummary         = 11
	fieldDataPoints      = 1 // of each of these
	fieldTemporality     = 2 // of Sum
	fieldDouble          = 4 // of NumberDataPoint
	fieldInt             = 6

	temporalityDelta = 1
)

const (
	// maxPoints bounds the metrics of one push that are summed up.
	maxPoints = 10_000
	// maxName is the longest name of a metric that is taken.
	maxName = 255
)

var (
	errMalformed = errors.New("the metrics are no OTLP MetricsData")
	errTooMany   = errors.New("a push has more than 10000 metrics")
)

// parse walks a push in OTLP's form (MetricsData). It allocates the points it
// gives and their names.
func parse(b []byte) ([]point, error) {
	var out []point
	err := each(b, func(num protowire.Number, resource []byte) error {
		if num != fieldResourceMetrics {
			return nil
		}
		return each(resource, func(num protowire.Number, scope []byte) error {
			if num != fieldScopeMetrics {
				return nil
			}
			return each(scope, func(num protowire.Number, m []byte) error {
				if num != fieldMetrics {
					return nil
				}
				if len(out) >= maxPoints {
					return errTooMany
				}
				p, err := parseMetric(m)
				out = append(out, p)
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// each calls fn with the fields of a message that are messages or bytes.
func each(b []byte, fn func(protowire.Number, []byte) error) error {
	return fields(b, func(num protowire.Number, typ protowire.Type, v []byte) error {
		if typ != protowire.BytesType {
			return nil
		}
		inner, n := protowire.ConsumeBytes(v)
		if n < 0 {
			return errMalformed
		}
		return fn(num, inner)
	})
}

// fields calls fn with each field of a message, its value still encoded.
func fields(b []byte, fn func(protowire.Number, protowire.Type, []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return errMalformed
		}
		if err := fn(num, typ, b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func parseMetric(b []byte) (point, error) {
	var p point
	err := each(b, func(num protowire.Number, v []byte) error {
		switch num {
		case fieldName:
			p.name = string(v[:min(len(v), maxName)])
		case fieldSum:
			return p.parseData(v, true)
		case fieldGauge, fieldHistogram, fieldExponential, fieldSummary:
			return p.parseData(v, false)
		}
		return nil
	})
	if err == nil && p.name == "" {
		return p, errMalformed
	}
	return p, err
}

// parseData reads Gauge, Sum and the like: the data points, and of a Sum how
// they are meant.
func (p *point) parseData(b []byte, sum bool) error {
	total := 0.0
	err := fields(b, func(num protowire.Number, typ protowire.Type, v []byte) error {
		switch {
		case num == fieldDataPoints && typ == protowire.BytesType:
			inner, _ := protowire.ConsumeBytes(v)
			value, err := number(inner)
			p.count++
			total += value
			return err
		case num == fieldTemporality && typ == protowire.VarintType && sum:
			t, _ := protowire.ConsumeVarint(v)
			p.delta = t == temporalityDelta
		}
		return nil
	})
	if sum && p.delta {
		p.sum += total
	}
	return err
}

// number is the value of a data point, 0 where it has none.
func number(b []byte) (float64, error) {
	value := 0.0
	err := fields(b, func(num protowire.Number, typ protowire.Type, v []byte) error {
		if typ != protowire.Fixed64Type {
			return nil
		}
		bits, _ := protowire.ConsumeFixed64(v)
		switch num {
		case fieldDouble:
			if d := math.Float64frombits(bits); !math.IsNaN(d) && !math.IsInf(d, 0) {
				value = d
			}
		case fieldInt:
			value = float64(int64(bits))
		}
		return nil
	})
	return value, err
}
