// Command pattern compares our event patterns with those of event-ruler, the
// library by which Amazon EventBridge matches: patterns drawn by a seed, with
// events made to fit them and events that miss by a little. Each pair must be
// judged alike, each pattern be taken by both, and our Set of many rules must find
// what single patterns find. Differences that are meant are named in known.go with
// the reason; any other fails the run.
//
//	go run ./test/pattern              1,000,000 pairs
//	go run ./test/pattern -n 10000     what CI runs
//	go run ./test/pattern -bench             rates, memory and changes beside event-ruler's
//
// It needs java 17, javac and mvn, which bring event-ruler from Maven Central into
// the user's cache.
//
// Files in reading order: main.go, ruler.go (event-ruler), draw.go (patterns),
// tests.go (their operators), event.go, judge.go, known.go; load.go, bench.go.
package main
