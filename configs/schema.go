package configs

import (
	"encoding/json"
	"fmt"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

const draft = "https://json-schema.org/draft/2020-12/schema"

// PlanSchema returns the JSON Schema of a plan, made from the structs that check it.
func PlanSchema(c Catalog) ([]byte, error) {
	plan := strict.Schema(&planFile{Settings: settings()})
	properties := propertiesOf(plan)
	properties["rule"] = tables(properties["rule"], ruleSchema(c))
	properties["rollback"] = tables(properties["rollback"], required(strict.Schema(ptr(rollbackDefaults())), "use"))
	properties["authority"] = tables(properties["authority"], required(strict.Schema(ptr(authorityDefaults())), "decide"))
	return finished(required(plan, "service", "owner", "rule"), "A rollback plan of Bakewatch")
}

// DaemonSchema returns the JSON Schema of the daemon's file.
func DaemonSchema(c Catalog) ([]byte, error) {
	daemon := strict.Schema(defaults(""))
	properties := propertiesOf(daemon)
	properties["defaults"] = strict.Schema(ptr(settings()))
	properties["prometheus"] = named(properties["prometheus"], strict.Schema(ptr(source())))
	properties["channel"] = named(properties["channel"], oneOf("use", c.Channels, c.every()))
	properties["executor"] = named(properties["executor"], oneOf("use", c.Executors, nil))
	properties["schedule"] = described(properties["schedule"], schedulesSchema(c))
	if c.Login != nil {
		http := propertiesOf(properties["http"].(strict.Object)) //nolint:forcetypeassert // every property is one
		http["oidc"] = described(http["oidc"], strict.Schema(c.Login()))
	}
	properties["preset"] = named(properties["preset"], strict.Schema(&preset{}))
	properties["calendar"] = named(properties["calendar"], strict.Schema(ptr(calendarDefaults())))
	policy := required(strict.Schema(&rules.Policy{}), "most")
	propertiesOf(policy)["most"].(strict.Object)["enum"] = append([]string{rules.None.String()}, rules.None.Words()...) //nolint:forcetypeassert // every property is one
	properties["policy"] = tables(properties["policy"], policy)
	return finished(required(daemon, "plans", "prometheus"), "The daemon's file of Bakewatch")
}

func ruleSchema(c Catalog) strict.Object {
	return oneOf("kind", c.Rules, &ruleFile{})
}

// oneOf returns a table whose key says which of the kinds' keys it has.
func oneOf(key string, kinds []rules.Kind, common any) strict.Object {
	choices := make([]strict.Object, 0, len(kinds))
	for _, kind := range kinds {
		own := strict.Schema(kind.New())
		properties := propertiesOf(own)
		for _, name := range kind.Later {
			properties[name] = strict.NotYet("a later version brings it")
		}
		if common != nil {
			own = strict.Merge(strict.Schema(common), own)
			properties = propertiesOf(own)
		}
		properties[key] = strict.Object{"const": kind.Name}
		choices = append(choices, required(own, key))
	}
	return strict.Object{"oneOf": choices}
}

// schedulesSchema is the schema of [schedule.SERVICE]: no other service is known.
func schedulesSchema(c Catalog) strict.Object {
	services := strict.Object{}
	for _, kind := range c.Schedules {
		services[kind.Name] = strict.Schema(kind.New())
	}
	return strict.Object{"type": "object", "properties": services, "additionalProperties": false}
}

func propertiesOf(schema strict.Object) strict.Object {
	below, is := schema["properties"].(strict.Object)
	if !is {
		return strict.Object{}
	}
	return below
}

// tables is the schema of [[key]], named that of [key.NAME]; both keep the description.
func tables(known any, item strict.Object) strict.Object {
	return described(known, strict.Object{"type": "array", "items": item})
}

func named(known any, item strict.Object) strict.Object {
	return described(known, strict.Object{"type": "object", "additionalProperties": item})
}

func described(known any, schema strict.Object) strict.Object {
	if old, is := known.(strict.Object); is {
		schema["description"] = old["description"]
	}
	return schema
}

func required(schema strict.Object, keys ...string) strict.Object {
	schema["required"] = keys
	return schema
}

func finished(schema strict.Object, title string) ([]byte, error) {
	schema["$schema"], schema["title"] = draft, title
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return append(text, '\n'), nil
}

func ptr[T any](value T) *T { return &value }
