// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"
#include "correlation/rules/builtin.hpp"

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

class trace final : public rule {
 public:
  std::string_view name() const noexcept override { return "trace"; }

  bool wants(const event& ev) const override {
    if (ev.correlation_id || ev.parent_event_id)
      return true;
    // Most events have none of them, and need no second parse.
    const std::string_view text = ev.metadata;
    return text.find("\"cloudevents\"") != text.npos ||
           text.find("traceparent") != text.npos ||
           text.find("correlationid") != text.npos ||
           text.find("causationid") != text.npos || traced_payload(ev);
  }

  void apply(const rule_input& in, claims& out) const override {
    out.subject(correlation_noun::event);
    if (in.ev.correlation_id)
      belongs(to_string(*in.ev.correlation_id), "correlation_id", out);
    if (in.ev.parent_event_id)
      caused_by(global_event_key(to_string(*in.ev.parent_event_id)),
                "parent_event_id", to_string(*in.ev.parent_event_id), out);
    if (in.payload && traced_payload(in.ev))
      traced(*in.payload, "payload", out);
    codec::payload_reader reader;
    const auto read = reader.parse(in.ev.metadata);
    if (!read)
      return;
    attributes(*read, "metadata", in.ev.source_id, out);
    const auto inner = child(*read, "cloudevents");
    if (!inner)
      return;
    const auto source = text_of(*inner, "source");
    attributes(*inner, "metadata.cloudevents", source, out);
    std::string scratch;
    const auto id = text_of(*inner, "id", scratch);
    if (id.empty())
      return;
    if (auto key = event_key(source, id))
      out.identity(std::move(*key), "metadata.cloudevents.id", id);
    // Others name it without its source.
    if (auto key = global_event_key(id))
      out.identity(std::move(*key), "metadata.cloudevents.id", id);
  }

 private:
  // The platforms whose payloads are somebody else's say nothing of traces.
  static bool traced_payload(const event& ev) {
    for (std::string_view other : {"github", "linear", "slack"})
      if (ev.platform == other)
        return false;
    return ev.payload.view().find("\"traceparent\"") != std::string_view::npos;
  }

  static void traced(element from, std::string_view where, claims& out) {
    const auto text = text_of(from, "traceparent");
    if (auto key = trace_key(text))
      out.link(std::move(*key), correlation_noun::trace, 1,
               std::string{where} + ".traceparent", text);
  }

  static void attributes(element from, std::string_view where,
                         std::string_view source, claims& out) {
    const auto field = [&](std::string_view name) {
      return std::string{where}.append(".").append(name);
    };
    traced(from, where, out);
    std::string scratch;
    if (const auto id = text_of(from, "correlationid", scratch); !id.empty())
      belongs(id, field("correlationid"), out);
    const auto id = text_of(from, "causationid", scratch);
    if (id.empty())
      return;
    // An id counts within its source; one that nobody else makes, everywhere.
    const auto name = field("causationid");
    caused_by(event_key(source, id), name, id, out);
    caused_by(global_event_key(id), name, id, out);
    if (const auto hash = id.rfind('#'); hash != std::string_view::npos)
      caused_by(event_key(id.substr(0, hash), id.substr(hash + 1)), name, id,
                out);
  }

  // What a variable has that was never set names nothing.
  static bool is_unset(std::string_view id) {
    const auto known = uuid::parse(id);
    return known && known->is_nil();
  }

  static void belongs(std::string_view id, std::string_view field,
                      claims& out) {
    if (is_unset(id))
      return;
    out.link(correlation_id_key(id), correlation_noun::event, 1, field, id);
  }

  static void caused_by(std::optional<std::string> key, std::string_view field,
                        std::string_view id, claims& out) {
    if (!key || is_unset(id))
      return;
    out.subject(correlation_noun::cause);
    out.link(std::move(*key), correlation_noun::event, 1, field, id);
    out.subject(correlation_noun::event);
  }
};

} // namespace

rule_ptr trace_rule() {
  return std::make_shared<trace>();
}

} // namespace eventweft::correlation
