package control

import "reflect"

// Repeatable tells whether a command may be given again when its answer was lost:
// done twice it is done once.
func Repeatable(cmd any) bool {
	k := byType[reflect.TypeOf(cmd)]
	return k != nil && k.repeatable
}

// Serving tells whether a command promises that partitions serve on every node
// when it is answered.
func Serving(cmd any) bool {
	k := byType[reflect.TypeOf(cmd)]
	return k != nil && k.serving
}
