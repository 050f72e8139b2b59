package config

import (
	"slices"
	"strings"
)

// notSettings are variables that start like settings but belong to Kafka's
// scripts or its image.
var notSettings = []string{
	"KAFKA_VERSION", "KAFKA_HOME", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_GC_LOG_OPTS",
	"KAFKA_JMX_OPTS", "KAFKA_JMX_HOSTNAME", "KAFKA_JMX_PORT", "KAFKA_LOG4J_OPTS", "KAFKA_LOG4J_CMD_OPTS", "KAFKA_LOG4J_ROOT_LOGLEVEL",
	"KAFKA_LOG4J_LOGGERS", "KAFKA_TOOLS_LOG4J_LOGLEVEL", "KAFKA_DEBUG", "KAFKA_CACHE", "KAFKA_EXTRA_CP",
}

// Environment reads KAFKA_* as the Apache image does and OTTLA_* likewise:
// "_" stands for ".", "__" for "_", "___" for "-". OTTLA_ wins where both set
// one, and takes units. CLUSTER_ID, which that image reads beside them, counts
// when it comes with at least one KAFKA_ setting. Names that no setting has
// are reported but are no mistakes, since an environment belongs to many.
func Environment(environ []string) Layer {
	l := Layer{Name: "environment"}
	clusterID := ""
	kafka := false
	for _, kv := range slices.Sorted(slices.Values(environ)) { // KAFKA_ sorts before OTTLA_
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			continue
		}
		if key == "CLUSTER_ID" {
			clusterID = value
		}
		if slices.Contains(notSettings, key) {
			continue
		}
		at := Place{What: "environment", Key: key}
		if rest, is := strings.CutPrefix(key, "KAFKA_"); is && rest != "" {
			s := Setting{Name: variableName(rest), Value: value, From: at}
			kafka = kafka || Lookup(ScopeBroker, s.Name) != nil
			l.Settings = append(l.Settings, s)
		} else if rest, is := strings.CutPrefix(key, "OTTLA_"); is && rest != "" {
			l.Settings = append(l.Settings, Setting{Name: variableName(rest), Value: value, From: at, units: true})
		}
	}
	if kafka && clusterID != "" {
		at := Place{What: "environment", Key: "CLUSTER_ID"}
		l.Settings = append([]Setting{{Name: "cluster.id", Value: clusterID, From: at}}, l.Settings...)
	}
	return l
}

// variableName turns LOG__X_Y___Z into log_x.y-z.
func variableName(s string) string {
	s = strings.ToLower(s)
	return strings.NewReplacer("___", "-", "__", "_", "_", ".").Replace(s)
}
