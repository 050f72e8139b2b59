// Command cego is CloudEvents' SDK for Go against the /ce door: a client of the interop
// suite (../doc.go), in a module of its own so that the product needs none of it.
//
//	cego NAME ADDR PREFIX
//
// File: main.go.
package main
