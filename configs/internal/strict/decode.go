package strict

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/prometheus/common/model"
)

// Decode fills the structs that the pointers into point to with the table's
// values. Every key must be named by a field of one of them; every other key,
// and every value of a wrong type, is a problem. What is not set keeps its value.
func (t Table) Decode(into ...any) {
	targets, known := targetsOf(into)
	for _, key := range t.Keys() {
		if t.file.full() {
			return
		}
		if len(targets[key]) == 0 {
			t.stranger(key, known)
			continue
		}
		for _, f := range targets[key] {
			t.set(f, key)
		}
	}
}

// CheckKeys reports the keys that no field of the structs names, whatever their values.
func (t Table) CheckKeys(structs ...any) {
	targets, known := targetsOf(structs)
	for _, key := range t.Keys() {
		if len(targets[key]) == 0 && !t.file.full() {
			t.stranger(key, known)
		}
	}
}

func targetsOf(structs []any) (targets map[string][]field, known []string) {
	targets = map[string][]field{}
	for _, s := range structs {
		for _, f := range fieldsOf(reflect.ValueOf(s).Elem()) {
			targets[f.key] = append(targets[f.key], f)
			known = append(known, f.key)
		}
	}
	return targets, known
}

// stranger reports a key that no field names.
func (t Table) stranger(key string, known []string) {
	switch {
	case slices.Contains(t.later, key):
		t.failKey(key, fmt.Sprintf("key %q is not yet supported", key), notYet)
	case Secret(key):
		t.SecretInPlace(key, known)
	default:
		hint := inFile(key, known)
		if hint == "" {
			hint = Guess(key, known)
		}
		t.failKey(key, fmt.Sprintf("unknown key %q", Shorten(key)), hint)
	}
}

// inFile returns the hint for a key whose value is kept in a file, or "".
func inFile(key string, known []string) string {
	file, env := slices.Contains(known, key+"_file"), slices.Contains(known, key+"_env")
	switch {
	case file && env:
		return fmt.Sprintf("it is a secret: write %s_file = … or %s_env = …", key, key)
	case file:
		return fmt.Sprintf("write %s_file = …", key)
	}
	return ""
}

// SecretInPlace refuses a secret that is written into the file.
func (t Table) SecretInPlace(key string, known []string) {
	var ways []string
	for _, way := range []string{key + "_file", key + "_env"} {
		if slices.Contains(known, way) {
			ways = append(ways, way+" = …")
		}
	}
	hint := "keep it in a file or an environment variable"
	if len(ways) > 0 {
		hint = "write " + strings.Join(ways, " or ")
	}
	t.failKey(key, fmt.Sprintf("%s: a secret must not be written in place", key), hint)
}

func (t Table) set(f field, key string) {
	switch f.value.Type() {
	case laterType:
		t.failKey(key, fmt.Sprintf("key %q is not yet supported", key), notYet)
		return
	case elsewhereType:
		return
	}
	if strings.HasSuffix(key, "_file") {
		if path, is := t.tree[key].(string); is && f.value.Kind() == reflect.String {
			f.value.SetString(t.file.Path(path))
			t.NeedFile(key, t.file.Path(path))
			return
		}
	}
	if name, is := t.tree[key].(string); is && strings.HasSuffix(key, "_env") {
		t.NeedEnv(key, name)
	}
	w := walk{table: t, secret: Secret(key)}
	w.value(f.value, t.tree[key], key)
}

// walk sets one value and all below it.
type walk struct {
	table  Table
	secret bool // values are not to be shown
}

func (w walk) value(v reflect.Value, value any, path string) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		w.value(v.Elem(), value, path)
		return
	}
	read := reflect.New(v.Type()) // so that a wrong value leaves the default as it was
	switch target := read.Interface().(type) {
	case toml.Unmarshaler:
		if err := target.UnmarshalTOML(value); err != nil {
			w.table.Fail(path, fmt.Sprintf("%s: %s", display(path), err), "")
			return
		}
		v.Set(read.Elem())
	case encoding.TextUnmarshaler:
		if w.text(target, value, path) {
			v.Set(read.Elem())
		}
	default:
		w.kind(v, value, path)
	}
}

func (w walk) text(target encoding.TextUnmarshaler, value any, path string) bool {
	text, is := value.(string)
	if !is {
		w.wrong(reflect.TypeOf(target).Elem(), value, path)
		return false
	}
	err := target.UnmarshalText([]byte(text))
	if err == nil && text != "" {
		return true
	}
	t := reflect.TypeOf(target).Elem()
	if err == nil || w.secret || len(wordsOf(t)) > 0 || t == reflect.TypeFor[model.Duration]() {
		w.word(t, text, path)
		return false
	}
	w.table.Fail(path, fmt.Sprintf("%s: %s", display(path), firstRunes(err.Error(), 200)), "")
	return false
}

// word reports a string that is none of those that the type knows.
func (w walk) word(t reflect.Type, text, path string) {
	what := fmt.Sprintf("%s must be %s, not %q", display(path), describe(t), Shorten(text))
	if w.secret {
		what = fmt.Sprintf("%s must be %s", display(path), describe(t))
	}
	hint := ""
	if t == reflect.TypeFor[model.Duration]() {
		hint = "the units are ms, s, m, h, d, w and y"
	} else if words := wordsOf(t); len(words) > 0 {
		if hint = Guess(text, words); strings.HasPrefix(hint, "one of") {
			hint = ""
		}
	}
	w.table.Fail(path, what, hint)
}

// wrong reports a value of a wrong type.
func (w walk) wrong(t reflect.Type, value any, path string) {
	hint := ""
	switch {
	case t == reflect.TypeFor[model.Duration]() && isNumber(value):
		hint = fmt.Sprintf("a bare number has no unit; write \"%vs\" for seconds", value)
	case t.Kind() == reflect.Slice && !w.secret:
		if text, is := value.(string); is {
			hint = fmt.Sprintf("write [%s]", words(text))
		}
	}
	w.table.Fail(path, fmt.Sprintf("%s must be %s, not %s", display(path), describe(t), name(value)), hint)
}

// words writes a line as the list that was probably meant: a program and its arguments.
func words(text string) string {
	quoted := make([]string, 0, 1)
	for _, word := range strings.Fields(Shorten(text)) {
		quoted = append(quoted, fmt.Sprintf("%q", word))
	}
	return strings.Join(quoted, ", ")
}

func (w walk) kind(v reflect.Value, value any, path string) {
	set := false
	switch v.Kind() { //nolint:exhaustive // options have no other kinds
	case reflect.String:
		set = w.string(v, value, path)
	case reflect.Bool:
		if b, is := value.(bool); is {
			v.SetBool(b)
			set = true
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if i, is := value.(int64); is && !v.OverflowInt(i) {
			v.SetInt(i)
			set = true
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if i, is := value.(int64); is && i >= 0 && !v.OverflowUint(uint64(i)) {
			v.SetUint(uint64(i))
			set = true
		}
	case reflect.Float64, reflect.Float32:
		set = float(v, value)
	case reflect.Interface:
		v.Set(reflect.ValueOf(plain(value)))
		set = true
	case reflect.Slice:
		set = w.list(v, value, path)
	case reflect.Map:
		set = w.entries(v, value, path)
	case reflect.Struct:
		if tree, is := value.(map[string]any); is {
			w.below(path, tree).Decode(v.Addr().Interface())
			set = true
		}
	}
	if !set {
		w.wrong(v.Type(), value, path)
	}
}

func (w walk) string(v reflect.Value, value any, path string) bool {
	text, is := value.(string)
	if !is {
		return false
	}
	if carriesPassword(text) {
		w.table.Fail(path, display(path)+": a password must not be written into a URL", "keep it in a file or an environment variable")
		return true
	}
	if carriesSecret(text) {
		w.table.Fail(path, display(path)+": a secret must not be written into a URL", "send it in a header, or keep the URL itself, from a file or an environment variable")
		return true
	}
	if words := wordsOf(v.Type()); len(words) > 0 && !slices.Contains(words, text) {
		w.word(v.Type(), text, path)
		return true
	}
	v.SetString(text)
	return true
}

// carriesPassword says whether the text is a URL with a password in it.
func carriesPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User == nil || u.Host == "" {
		return false
	}
	_, set := u.User.Password()
	return set
}

// carriesSecret says whether the text is a URL with a parameter such as token=….
func carriesSecret(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	for key, values := range u.Query() {
		if Secret(key) && strings.Join(values, "") != "" {
			return true
		}
	}
	return false
}

func float(v reflect.Value, value any) bool {
	switch n := value.(type) {
	case int64:
		v.SetFloat(float64(n))
	case float64:
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return false
		}
		v.SetFloat(n)
	default:
		return false
	}
	return true
}

func (w walk) list(v reflect.Value, value any, path string) bool {
	items, is := plain(value).([]any)
	if !is {
		return false
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		w.value(list.Index(i), item, fmt.Sprintf("%s.%d", path, i))
	}
	v.Set(list)
	return true
}

func (w walk) entries(v reflect.Value, value any, path string) bool {
	tree, is := value.(map[string]any)
	if !is {
		return false
	}
	table := reflect.MakeMapWithSize(v.Type(), len(tree))
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if _, text := tree[key].(string); text && Secret(key) {
			w.below(path, tree).SecretInPlace(key, nil)
			continue
		}
		entry := reflect.New(v.Type().Elem()).Elem()
		w.value(entry, tree[key], path+"."+key)
		table.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), entry)
	}
	v.Set(table)
	return true
}

// below returns the table at a path below the walk's. Problems name the outermost.
func (w walk) below(path string, tree map[string]any) Table {
	where := w.table.where
	if table, name, named := strings.Cut(path, "."); where == "" && named {
		where = fmt.Sprintf("%s %q", table, name)
	} else if where == "" {
		where = table
	}
	return Table{file: w.table.file, tree: tree, node: w.table.at(path), where: where}
}

// display is a path with the numbers of list elements in brackets.
func display(path string) string {
	var b strings.Builder
	for i, part := range strings.Split(path, ".") {
		if _, err := strconv.Atoi(part); err == nil && i > 0 {
			part = "[" + part + "]"
		} else if i > 0 {
			part = "." + part
		}
		b.WriteString(part)
	}
	return b.String()
}

// plain turns what the decoder made into what JSON knows: lists are []any.
func plain(value any) any {
	switch value := value.(type) {
	case []map[string]any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = item
		}
		return items
	case time.Time:
		return value.Format(time.RFC3339Nano)
	}
	return value
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64:
		return true
	}
	return false
}
