// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_json.hpp"

#include "codec/boost_text.hpp"
#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "codec/list_json.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace eventweft::codec {

namespace {

namespace json = boost::json;

/// As people write numbers: 0.25, where the library has 2.5E-1.
void append_number(std::string& out, double x) {
  char text[64];
  const bool short_enough =
      x == 0 || (std::abs(x) >= 1e-6 && std::abs(x) < 1e15);
  const auto [end, fault] =
      short_enough
          ? std::to_chars(text, text + sizeof text, x, std::chars_format::fixed)
          : std::to_chars(text, text + sizeof text, x);
  if (fault == std::errc{} && std::isfinite(x))
    out.append(text, end);
  else
    out.append("null");
}

void append_value(std::string& out, const json::value& x) {
  const auto separate = [&out](char open) {
    if (out.back() != open)
      out.push_back(',');
  };
  if (const auto* object = x.if_object()) {
    out.push_back('{');
    for (const auto& [name, value] : *object) {
      separate('{');
      append_quoted(out, std::string_view{name.data(), name.size()});
      out.push_back(':');
      append_value(out, value);
    }
    out.push_back('}');
  } else if (const auto* array = x.if_array()) {
    out.push_back('[');
    for (const auto& value : *array) {
      separate('[');
      append_value(out, value);
    }
    out.push_back(']');
  } else if (x.is_double()) {
    append_number(out, x.get_double());
  } else {
    out.append(json::serialize(x));
  }
}

/// For clients.
std::string text_of(const json::value& x) {
  std::string out;
  append_value(out, x);
  return out;
}

json::value value_of(const std::optional<timestamp>& t) {
  return t ? json::value(view(to_rfc3339(*t))) : json::value(nullptr);
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

/// Of an answer; there may have been none.
json::value status_or_null(int32_t status) {
  return status == 0 ? json::value(nullptr) : json::value(status);
}

json::value value_of(const eventweft::filter& f) {
  return json::parse(view(filter_json(f)));
}

std::string_view name_of(wire_format format) {
  return format == wire_format::cloudevents ? "cloudevents" : "native";
}

json::object object_of(const stream_definition& s) {
  return {{"name", s.name},
          {"description", s.description},
          {"filter", value_of(s.filter)},
          {"built_in", s.built_in},
          {"created_at", s.created_at == timestamp{}
                             ? json::value(nullptr)
                             : value_of(std::optional{s.created_at})}};
}

/// Of another node's work nothing is known but whose it is: zeros would say
/// that all is well.
json::object statistics_of(const subscription_figures& f) {
  json::object out = {{"state", f.state},
                      {"matched", f.matched},
                      {"sent", f.delivered},
                      {"errors", f.failed},
                      {"given_up", f.given_up},
                      {"waiting", f.open - f.under_way},
                      {"under_way", f.under_way},
                      {"breaker", f.breaker},
                      {"cursor", f.cursor},
                      {"last_seq", f.last_seq},
                      {"lag_events", f.lag_events},
                      {"lag_seconds", f.lag_seconds},
                      {"replaying", f.replaying},
                      {"last_delivery_at", value_of(f.last_delivery_at)},
                      {"last_error", text_or_null(f.last_error)}};
  if (f.state == "elsewhere")
    for (auto& member : out)
      if (member.key() != "state")
        member.value() = nullptr;
  out["owner"] = text_or_null(f.owner);
  return out;
}

json::object object_of(const subscription_view& v) {
  const auto& s = v.what;
  json::array names;
  for (const auto& [name, value] : s.headers)
    names.emplace_back(name);
  json::object out = {
      {"id", to_string(s.id)},
      {"stream", s.stream},
      {"type", view(to_string(s.type))},
      {"subscriber_id", s.subscriber_id},
      {"url", s.url},
      {"filter", value_of(s.filter)},
      {"format", view(name_of(s.format))},
      {"ordered", s.ordered},
      {"headers", std::move(names)},
      {"max_concurrent", s.max_concurrent},
      {"rate_per_second", s.rate_per_second},
      {"active", s.active},
      {"disabled_reason", text_or_null(s.disabled_reason)},
      {"secrets", s.secrets.size()},
      {"public_keys", json::array(v.public_keys.begin(), v.public_keys.end())},
      {"created_at", value_of(std::optional{s.created_at})},
      {"statistics", statistics_of(v.figures)},
  };
  if (!v.new_secret.empty())
    out["secret"] = v.new_secret;
  return out;
}

json::object object_of(const delivery_attempt& a) {
  return {{"id", to_string(a.id)},
          {"event_id", to_string(a.event_id)},
          {"event_seq", a.event_seq},
          {"attempt", a.attempt},
          {"status", view(to_string(a.status))},
          {"response_status", status_or_null(a.response_status)},
          {"response_body", a.response_body},
          {"error_message", text_or_null(a.error_message)},
          {"duration", a.duration},
          {"created_at", value_of(std::optional{a.created_at})},
          {"next_attempt_at", value_of(a.next_attempt_at)}};
}

} // namespace

std::string stream_json(const stream_definition& stream,
                        const stream_figures* figures) {
  auto out = object_of(stream);
  if (figures != nullptr)
    out["statistics"] = {{"active", figures->readers + figures->subscriptions},
                         {"readers", figures->readers},
                         {"subscriptions", figures->subscriptions},
                         {"matched", figures->matched},
                         {"sent", figures->sent},
                         {"errors", figures->errors},
                         {"lag_events", figures->lag_events},
                         {"lag_seconds", figures->lag_seconds},
                         {"last_seq", figures->last_seq}};
  return text_of(out);
}

std::string streams_json(const std::vector<stream_definition>& streams,
                         bool more) {
  return list_json(
      "streams", streams,
      [](std::string& out, const stream_definition& s) {
        append_value(out, object_of(s));
      },
      more ? streams.back().name : std::string{});
}

std::string subscription_json(const subscription_view& view) {
  return text_of(object_of(view));
}

std::string subscriptions_json(const std::vector<subscription_view>& views,
                               bool more) {
  return list_json(
      "subscriptions", views,
      [](std::string& out, const subscription_view& v) {
        append_value(out, object_of(v));
      },
      more ? to_string(views.back().what.id) : std::string{});
}

std::string deliveries_json(const std::vector<delivery_attempt>& attempts,
                            bool more) {
  return list_json(
      "deliveries", attempts,
      [](std::string& out, const delivery_attempt& a) {
        append_value(out, object_of(a));
      },
      more ? to_string(attempts.back().id) : std::string{});
}

std::string delivery_test_json(const delivery_test& test) {
  return text_of(
      json::object{{"delivered", test.delivered},
                   {"response_status", status_or_null(test.response_status)},
                   {"response_body", test.response_body},
                   {"error_message", text_or_null(test.error_message)},
                   {"duration", test.duration}});
}

std::string replay_answer_json(const replay_answer& answer) {
  return json::serialize(
      json::object{{"after", answer.after},
                   {"until", answer.until},
                   {"matched", answer.matched ? json::value(*answer.matched)
                                              : json::value(nullptr)}});
}

} // namespace eventweft::codec
