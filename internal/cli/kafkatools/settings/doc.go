// Package settings reads the settings of Kafka's clients (properties files and
// key=value pairs) and turns those of a producer or a consumer into options of
// our client. A setting whose promise about safety cannot be kept is refused;
// one without effect here is named on standard error.
//
// Reading order: properties.go, producer.go, consumer.go.
package settings
