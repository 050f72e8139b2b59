package cluster

// Wanted are the faults and the turns of events that a long run must have met, by
// the names under which they are counted.
var Wanted = []string{}
