// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"
#include "correlation/rules/builtin.hpp"

namespace eventweft::correlation {

namespace {

class trace final : public rule {
 public:
  std::string_view name() const noexcept override { return "trace"; }

  bool wants(const event& ev) const override {
    // Most events have none of them, and need no second parse.
    const std::string_view text = ev.metadata;
    return is_open(ev) || text.find("traceparent") != text.npos ||
           text.find("correlationid") != text.npos ||
           text.find("causationid") != text.npos;
  }

  void apply(const rule_input& in, claims& out) const override {
    out.subject(correlation_noun::event);
    // Events of one's own making can be a cause that others name.
    if (is_open(in.ev) && in.ev.event_id.size() >= 8)
      out.identity("event:" + in.ev.event_id, "event_id", in.ev.event_id);
    codec::payload_reader reader;
    const auto read = reader.parse(in.ev.metadata);
    if (!read)
      return;
    if (const auto text = text_of(*read, "traceparent"); !text.empty())
      if (auto key = trace_key(text))
        out.link(std::move(*key), correlation_noun::trace, 1,
                 "metadata.traceparent", text);
    std::string scratch;
    if (const auto id = text_of(*read, "correlationid", scratch); !id.empty())
      out.link(correlation_id_key(id), correlation_noun::event, 1,
               "metadata.correlationid", id);
    if (const auto id = text_of(*read, "causationid", scratch); id.size() >= 8)
      out.link("event:" + std::string{id}, correlation_noun::event, 1,
               "metadata.causationid", id);
  }

 private:
  // The platforms whose ids their senders choose.
  static bool is_open(const event& ev) noexcept {
    return ev.platform != "github" && ev.platform != "linear" &&
           ev.platform != "slack" && ev.platform != "deployments" &&
           ev.platform != "eventweft";
  }
};

} // namespace

rule_ptr trace_rule() {
  return std::make_shared<trace>();
}

} // namespace eventweft::correlation
