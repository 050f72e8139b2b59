package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// listed writes one value, or some in a list, and tells which.
func listed(rng *rand.Rand, one func() string) (text, form string) {
	if rng.IntN(2) == 0 {
		return one(), ""
	}
	values := make([]string, 1+rng.IntN(3))
	for i := range values {
		values[i] = one()
	}
	return "[" + strings.Join(values, ",") + "]", " list"
}

func anythingBut(rng *rand.Rand, kind, inner string) drawnTest {
	return drawnTest{"anything-but" + kind, `{"anything-but":` + inner + `}`, func() string { return someValue(rng) }}
}

func drawNot(rng *rand.Rand) drawnTest {
	inner, form := listed(rng, func() string { return text(rng, word(rng)) })
	return anythingBut(rng, form, inner)
}

func drawNotNumber(rng *rand.Rand) drawnTest {
	inner, form := listed(rng, func() string { return fmt.Sprint(rng.IntN(10)) })
	return anythingBut(rng, " number"+form, inner)
}

func drawNotPart(rng *rand.Rand) drawnTest {
	kind := []string{"prefix", "suffix"}[rng.IntN(2)]
	inner, form := listed(rng, func() string {
		w := word(rng)
		if w == "" {
			w = "a"
		}
		return text(rng, w)
	})
	return anythingBut(rng, "/"+kind+form, fmt.Sprintf(`{"%s":%s}`, kind, inner))
}

func drawNotFold(rng *rand.Rand) drawnTest {
	inner, form := listed(rng, func() string { return text(rng, word(rng)) })
	return anythingBut(rng, "/equals-ignore-case"+form, fmt.Sprintf(`{"equals-ignore-case":%s}`, inner))
}

func drawNotWildcard(rng *rand.Rand) drawnTest {
	inner, form := listed(rng, func() string { w, _ := starred(rng); return text(rng, w) })
	return anythingBut(rng, "/wildcard"+form, fmt.Sprintf(`{"wildcard":%s}`, inner))
}
