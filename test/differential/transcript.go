package main

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// transcript is what a story left on one side: lines in order, each with a
// name of its own ("step/field").
type transcript struct {
	names  []string
	values map[string]string
	hidden []string // pairs for strings.NewReplacer
	began  time.Time
}

// hide replaces a text in all lines that follow.
func (t *transcript) hide(text, by string) { t.hidden = append(t.hidden, text, by) }

func (t *transcript) add(step, field, value string) {
	name := step + "/" + field
	if t.values == nil {
		t.values = map[string]string{}
	}
	for i := 2; ; i++ {
		if _, taken := t.values[name]; !taken {
			break
		}
		name = fmt.Sprintf("%s/%s#%d", step, field, i)
	}
	hide := strings.NewReplacer(t.hidden...)
	name = hide.Replace(name)
	t.names = append(t.names, name)
	t.values[name] = hide.Replace(value)
}

// answer adds a line for each field of an answer.
func (t *transcript) answer(step string, resp kmsg.Response) {
	t.flatten(step, "", reflect.ValueOf(resp).Elem())
	if len(t.names) == 0 || !strings.HasPrefix(t.names[len(t.names)-1], step) {
		t.add(step, "side", "answers")
	}
}

// left are fields that say nothing of the answer.
var left = map[string]bool{"Version": true, "UnknownTags": true, "ThrottleMillis": true}

// masked are fields whose value is one machine's or one run's own; only
// whether there is one is compared.
var masked = map[string]bool{
	"TopicID": true, "ClusterID": true, "Host": true, "Port": true, "LogDir": true, "Dir": true, "ProducerID": true,
	"SessionID": true, "TotalBytes": true, "UsableBytes": true, "FinalizedFeaturesEpoch": true,
	"DirectoryID": true, "ReplicaDirectoryID": true, "IncarnationID": true,
}

// rowKeys are the fields that name a row, so that rows are compared by name and
// not by place.
var rowKeys = []string{"Topic", "TopicID", "Name", "ConfigName", "ResourceName", "Partition", "ApiKey", "NodeID", "BrokerID", "TransactionalID", "Group", "MemberID"}

func (t *transcript) flatten(step, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			t.add(step, path, "null")
			return
		}
		t.flatten(step, path, v.Elem())
	case reflect.Struct:
		if v.NumField() > 0 && v.Type().Name() == "Tags" {
			return
		}
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; !left[name] && v.Type().Field(i).IsExported() {
				t.field(step, join(path, name), name, v.Field(i))
			}
		}
	case reflect.Slice:
		t.slice(step, path, v)
	default:
		t.add(step, path, fmt.Sprint(v.Interface()))
	}
}

func (t *transcript) field(step, path, name string, v reflect.Value) {
	switch {
	case masked[name]:
		if v.IsZero() || v.Kind() == reflect.Int64 && v.Int() < 0 {
			t.flatten(step, path, v)
			return
		}
		t.add(step, path, "some")
	case (name == "RecordBatches" || name == "Records") && v.Type().Elem().Kind() == reflect.Uint8:
		t.batches(step, path, v.Bytes(), v.IsNil())
	case v.Kind() == reflect.Int64 && t.isNow(v.Int()):
		t.add(step, path, "now")
	default:
		t.flatten(step, path, v)
	}
}

// isNow tells a time that the broker has taken since the story began from one
// that was sent.
func (t *transcript) isNow(millis int64) bool {
	const about = 5 * time.Second
	at := time.UnixMilli(millis)
	return at.After(t.began.Add(-about)) && at.Before(time.Now().Add(about))
}

func (t *transcript) slice(step, path string, v reflect.Value) {
	switch {
	case v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8 && v.Type().Elem().Kind() != reflect.Struct:
		t.add(step, path, "null")
		return
	case v.Type().Elem().Kind() == reflect.Uint8:
		t.add(step, path, hex.EncodeToString(v.Bytes()))
		return
	case v.Type().Elem().Kind() != reflect.Struct:
		t.add(step, path, fmt.Sprint(v.Interface()))
		return
	case v.Len() == 0:
		empty := "[]"
		if v.IsNil() {
			empty = "null"
		}
		t.add(step, path, empty)
		return
	}
	for i := range v.Len() {
		t.flatten(step, path+"["+rowName(v.Index(i), i)+"]", v.Index(i))
	}
}

// rowName names a row by its key, or by its place when it has none.
func rowName(row reflect.Value, place int) string {
	for _, key := range rowKeys {
		f := row.FieldByName(key)
		if !f.IsValid() || masked[key] {
			continue
		}
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				continue
			}
			f = f.Elem()
		}
		if text := fmt.Sprint(f.Interface()); text != "" {
			return text
		}
	}
	return strconv.Itoa(place)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
