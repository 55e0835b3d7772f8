// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/sender_parts.hpp"

#include "codec/json_text.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

std::string work_of(const subscription& s) {
  return "subscription:" + to_string(s.id);
}

std::string work_kind_of(subscription_type type) {
  return "subscription:" + std::string{to_string(type)};
}

const char* state_of(const subscription& s) noexcept {
  return s.active                    ? "delivering"
         : s.disabled_reason.empty() ? "paused"
                                     : "disabled";
}

delivery::queue_options queue_options_of(const subscription& s,
                                         delivery::queue_options base) {
  if (s.max_concurrent != 0)
    base.max_concurrent = s.max_concurrent;
  if (s.rate_per_second > 0)
    base.rate_per_second = s.rate_per_second;
  base.ordered = s.ordered;
  return base;
}

delivery::endpoint endpoint_of(const subscription& s,
                               std::chrono::milliseconds timeout) {
  delivery::endpoint out;
  out.subscription_id = to_string(s.id);
  out.url = s.url;
  out.format = s.format;
  out.headers = s.headers;
  out.timeout = timeout;
  for (const auto& text : s.secrets)
    if (auto key = delivery::signing_key::parse(text))
      out.keys.push_back(std::move(*key));
  return out;
}

std::string readable_start(std::string_view bytes, size_t most) {
  std::string out{bytes.substr(0, most)};
  // What was cut in the middle of a character.
  for (int n = 0;
       n < 3 && !out.empty() && !codec::is_utf8(out) && bytes.size() > most;
       ++n)
    out.pop_back();
  const bool text = codec::is_utf8(out);
  for (auto& c : out)
    if (c == '\0' || (!text && (static_cast<unsigned char>(c) & 0x80) != 0))
      c = '?';
  return out;
}

event_ptr test_event(const subscription& s, timestamp now,
                     random_source& random) {
  event e;
  e.id = uuid::v7(now, random);
  e.event_id = to_string(e.id);
  e.platform = "eventweft";
  e.event_type = "test";
  e.source_id = to_string(s.id);
  e.source_name = s.stream;
  e.created_at = now;
  std::string payload = R"({"message":"A test delivery.","subscription_id":)";
  codec::append_quoted(payload, to_string(s.id));
  payload += R"(,"stream":)";
  codec::append_quoted(payload, s.stream);
  payload += '}';
  e.payload = shared_text{std::move(payload)};
  return event_ptr{std::move(e)};
}

outgoing::request request_for(const subscription& s,
                              const delivery::endpoint& to, const event_ptr& ev,
                              timestamp now, timestamp again) {
  auto out = delivery::make_request(to, ev, now);
  if (s.type != subscription_type::webhook) {
    // The thread's events stay in order wherever they go.
    const auto key = ev->correlation_id ? to_string(*ev->correlation_id)
                     : ev->source_id.empty()
                         ? ev->platform
                         : ev->platform + ':' + ev->source_id;
    out.headers.emplace_back("eventweft-key", key);
    if (again != timestamp{})
      out.headers.emplace_back(std::string{outgoing::replay_header},
                               to_rfc3339(again));
  }
  return out;
}

namespace {

/// What is so however the attempt ended.
delivery_attempt begun_row(const subscription& s, const event& ev,
                           uint32_t number, timestamp at, uuid id) {
  delivery_attempt a;
  a.id = id;
  a.subscription_id = s.id;
  a.event_id = ev.id;
  a.event_created_at = ev.created_at;
  a.event_seq = ev.seq;
  a.attempt = number;
  a.created_at = at;
  return a;
}

} // namespace

delivery_attempt attempt_row(const subscription& s, const event& ev,
                             const delivery_end& end,
                             const delivery::verdict& v, size_t kept_bytes,
                             uuid id) {
  auto a = begun_row(s, ev, end.number, end.started, id);
  a.response_status = v.status;
  if (end.outcome)
    a.response_body = readable_start(end.outcome->body, kept_bytes);
  a.error_message = readable_start(v.reason, 1'000);
  const auto took =
      end.outcome ? end.outcome->duration : end.outcome.error().duration;
  a.duration = std::chrono::duration<double>(took).count();
  return a;
}

delivery_attempt row_without_attempt(const subscription& s, const event& ev,
                                     uint32_t number, std::string reason,
                                     timestamp at, uuid id) {
  auto a = begun_row(s, ev, number, at, id);
  a.status = delivery_attempt::state::failed;
  a.error_message = std::move(reason);
  return a;
}

} // namespace eventweft
