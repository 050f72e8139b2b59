package pattern

import (
	"fmt"
	"strings"
	"testing"
)

// rulesOf are n rules as a shop has them; test/pattern measures them beside
// event-ruler.
func rulesOf(n int) []string {
	rules := make([]string, n)
	for i := range rules {
		detail := fmt.Sprintf(`"orderId":["o-%08d"]`, i)
		switch i % 7 {
		case 0:
			detail = fmt.Sprintf(`"customer":[{"prefix":"c-%04d"}]`, i%10_000)
		case 1:
			detail = fmt.Sprintf(`"total":[{"numeric":[">",%d,"<=",%d]}]`, i%1000, i%1000+1)
		case 2:
			detail = `"state":[{"anything-but":"placed"}]`
		}
		rules[i] = fmt.Sprintf(`{"source":["com.shop.unit%02d"],"detail-type":["OrderChanged.v%d"],"detail":{%s}}`, i%100, i/100%10, detail)
	}
	return rules
}

func setOf(b *testing.B, rules []string) *Set {
	b.Helper()
	e := NewSet().Edit()
	for i, text := range rules {
		e.Put(ID(i), mustParse(b, text))
	}
	return e.Set()
}

var order = `{"version":"0","id":"6a1f-4c1e-4f3a-9d1b-00c04fd430c8","detail-type":"OrderChanged.v3","source":"com.shop.unit42","account":"123456789012","time":"2026-11-26T10:00:00Z","region":"eu-west-1",` +
	`"resources":["arn:aws:shop:eu-west-1:123456789012:order/o-00012342"],"detail":{"orderId":"o-00012342","customer":"c-004217","state":"placed","total":129.5,"currency":"EUR","note":"` +
	strings.Repeat("ring the bell ", 15) + `","items":[{"sku":"tea","qty":2},{"sku":"cup","qty":1}]}}`

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := setOf(b, rulesOf(n))
			event := []byte(order)
			var m Matcher
			var ids []ID
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if ids, err = s.Match(event, &m, ids[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(rulesOf(2)[1])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMatchOthers matches an event of a source that no rule names.
func BenchmarkMatchOthers(b *testing.B) {
	s := setOf(b, rulesOf(100_000))
	event := []byte(strings.Replace(order, "com.shop.unit42", "com.other", 1))
	var m Matcher
	for b.Loop() {
		if ids, err := s.Match(event, &m, nil); err != nil || len(ids) > 0 {
			b.Fatal(ids, err)
		}
	}
}

// BenchmarkWith adds one rule to a hundred thousand and takes it out again.
func BenchmarkWith(b *testing.B) {
	rules := rulesOf(100_000)
	s := setOf(b, rules)
	p := mustParse(b, rules[1])
	b.ReportAllocs()
	for b.Loop() {
		s = s.With(1_000_000, p).Without(1_000_000)
	}
}
