package events

import (
	"bytes"
	"testing"
)

func TestAnEventIsReadByPeople(t *testing.T) {
	event := `{"specversion":"1.0","id":"e-1","source":"com.shop","type":"OrderPlaced","subject":"order-1","time":"2026-11-26T16:00:00Z",` +
		`"datacontenttype":"application/json","partitionkey":"customer-4","tenant":"a","data":{"id":1,"total":120}}`
	var b bytes.Buffer
	if err := readableEvent(&b, []byte(event)); err != nil || b.String() != "2026-11-26T16:00:00Z  OrderPlaced  from com.shop  about order-1  id e-1  partitionkey=customer-4  tenant=a\n  {\"id\":1,\"total\":120}\n" {
		t.Errorf("people read %q, %v", b.String(), err)
	}
}
