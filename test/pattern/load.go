package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A load is rules and events as a shop has them: each rule names one of a thousand
// pairs of source and type, and one thing more.
type load struct {
	name  string
	rules int
	rule  func(rng *rand.Rand, i int) string
	goal  float64 // how many times as fast as event-ruler; 0 is none
}

const (
	pairs      = 1000
	orders     = 100_000
	loadEvents = 20_000
	// more rules are made than a load has, to be added and deleted one by one.
	more = 1000
)

var loads = []load{
	{"1 rule", 1, mixed, 0},
	{"1k mixed", 1000, mixed, 5},
	{"100k mixed", 100_000, mixed, 0},
	{"1k full", 1000, full, 5},
	{"100k full", 100_000, full, 4},
	{"100k exact", 100_000, exact, 5},
}

func pairOf(n int) (source, detailType string) {
	return fmt.Sprintf("com.shop.unit%02d", n/10), fmt.Sprintf("OrderChanged.v%d", n%10)
}

// rule writes a rule of a pair with a condition on a field of detail.
func rule(i int, detail string) string {
	source, detailType := pairOf(i % pairs)
	return fmt.Sprintf(`{"source":["%s"],"detail-type":["%s"],"detail":{%s}}`, source, detailType, detail)
}

func mixed(rng *rand.Rand, i int) string {
	switch n := rng.IntN(100); {
	case n < 75:
		return rule(i, fmt.Sprintf(`"orderId":["o-%08d"]`, rng.IntN(orders)))
	case n < 90:
		return rule(i, fmt.Sprintf(`"customer":{"id":[{"prefix":"c-%04d"}]}`, rng.IntN(10_000)))
	case n < 94:
		return rule(i, `"status":[{"anything-but":"placed"}]`)
	case n < 97:
		return rule(i, fmt.Sprintf(`"customer":{"tier":[{"equals-ignore-case":"TIER-%02d"}]}`, rng.IntN(50)))
	}
	return rule(i, `"gift":[{"exists":false}]`)
}

func full(rng *rand.Rand, i int) string {
	switch n := rng.IntN(100); {
	case n < 7:
		low := rng.IntN(1000)
		return rule(i, fmt.Sprintf(`"total":[{"numeric":[">",%d,"<=",%d]}]`, low, low+1))
	case n < 14:
		return rule(i, fmt.Sprintf(`"customer":{"email":[{"suffix":"%d@mail%02d.example.com"}]}`, rng.IntN(10), rng.IntN(100)))
	case n < 20:
		return rule(i, fmt.Sprintf(`"ip":[{"cidr":"10.%d.%d.0/24"}]`, rng.IntN(256), rng.IntN(256)))
	case n < 25:
		return rule(i, fmt.Sprintf(`"note":[{"wildcard":"*gate %03d*bell*"}]`, rng.IntN(1000)))
	}
	return mixed(rng, i)
}

func exact(_ *rand.Rand, i int) string {
	return fmt.Sprintf(`{"detail":{"orderId":["o-%08d"]}}`, i)
}

// event writes one order of about 670 bytes.
func event(rng *rand.Rand) string {
	source, detailType := pairOf(rng.IntN(pairs))
	status, gift := "placed", `"gift":false,`
	if rng.IntN(20) == 0 {
		status = "paid"
	}
	if rng.IntN(20) == 0 {
		gift = ""
	}
	order, customer := rng.IntN(orders), rng.IntN(1_000_000)
	return fmt.Sprintf(`{"version":"0","id":"%08x-4c1e-4f3a-9d1b-%012x","detail-type":"%s","source":"%s","account":"123456789012","time":"2026-11-26T10:%02d:%02dZ",`+
		`"region":"eu-west-1","resources":["arn:aws:shop:eu-west-1:123456789012:order/o-%08d"],"detail":{"orderId":"o-%08d",`+
		`"customer":{"id":"c-%06d","tier":"tier-%02d","email":"ann.smith%d@mail%02d.example.com"},"status":"%s",%s"total":%d.%02d,"currency":"EUR","ip":"10.%d.%d.%d",`+
		`"items":[{"sku":"sku-%05d","qty":%d,"price":%d.50},{"sku":"sku-%05d","qty":%d,"price":%d.25}],"note":"leave at gate %03d, ring the bell twice"}}`,
		rng.Uint32(), rng.Uint64()>>16, detailType, source, rng.IntN(60), rng.IntN(60), order, order, customer, rng.IntN(50), rng.IntN(10), rng.IntN(100),
		status, gift, rng.IntN(1000), rng.IntN(100), rng.IntN(256), rng.IntN(256), rng.IntN(256), rng.IntN(100_000), 1+rng.IntN(5), rng.IntN(100),
		rng.IntN(100_000), 1+rng.IntN(5), rng.IntN(100), rng.IntN(1000))
}

// lines are the rules and events of a load.
func (l load) lines() (rules, events []string) {
	rng := rand.New(rand.NewPCG(1, uint64(l.rules)))
	for i := range l.rules + more {
		rules = append(rules, l.rule(rng, i))
	}
	for range loadEvents {
		events = append(events, event(rng))
	}
	return rules, events
}

func joined(lines []string) []byte { return []byte(strings.Join(lines, "\n") + "\n") }
