// Package constraint says which constraints of a service's model a request does not
// keep, in the words in which AWS's services say it: all of them at once, by the
// names of their members. It also has what services share of tags.
//
// It is not for what only the service itself can know (that a thing is there, that
// values fit each other). It is pure.
//
// Main types: Broken, Tag. Reading order: broken.go, tags.go.
package constraint
