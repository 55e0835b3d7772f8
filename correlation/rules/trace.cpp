// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"
#include "correlation/rules/builtin.hpp"

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

// Shorter ids ("1", "a7") count within their source only.
constexpr size_t min_event_id = 8;

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
           text.find("causationid") != text.npos;
  }

  void apply(const rule_input& in, claims& out) const override {
    out.subject(correlation_noun::event);
    if (in.ev.correlation_id)
      belongs(to_string(*in.ev.correlation_id), "correlation_id", out);
    if (in.ev.parent_event_id)
      caused_by(to_string(*in.ev.parent_event_id), "parent_event_id", out);
    codec::payload_reader reader;
    const auto read = reader.parse(in.ev.metadata);
    if (!read)
      return;
    attributes(*read, "metadata", out);
    const auto inner = child(*read, "cloudevents");
    if (!inner)
      return;
    attributes(*inner, "metadata.cloudevents", out);
    std::string scratch;
    if (const auto id = text_of(*inner, "id", scratch);
        id.size() >= min_event_id)
      out.identity("event:" + std::string{id}, "metadata.cloudevents.id", id);
  }

 private:
  static void attributes(element from, std::string_view where, claims& out) {
    const auto field = [&](std::string_view name) {
      return std::string{where}.append(".").append(name);
    };
    if (const auto text = text_of(from, "traceparent"); !text.empty())
      if (auto key = trace_key(text))
        out.link(std::move(*key), correlation_noun::trace, 1,
                 field("traceparent"), text);
    std::string scratch;
    if (const auto id = text_of(from, "correlationid", scratch); !id.empty())
      belongs(id, field("correlationid"), out);
    if (const auto id = text_of(from, "causationid", scratch);
        id.size() >= min_event_id)
      caused_by(id, field("causationid"), out);
  }

  static void belongs(std::string_view id, std::string_view field,
                      claims& out) {
    out.link(correlation_id_key(id), correlation_noun::event, 1, field, id);
  }

  static void caused_by(std::string_view id, std::string_view field,
                        claims& out) {
    out.subject(correlation_noun::cause);
    out.link("event:" + std::string{id}, correlation_noun::event, 1, field, id);
    out.subject(correlation_noun::event);
  }
};

} // namespace

rule_ptr trace_rule() {
  return std::make_shared<trace>();
}

} // namespace eventweft::correlation
