// SPDX-License-Identifier: Apache-2.0
#include "delivery/message.hpp"

#include "codec/event_json.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <set>

namespace eventweft::delivery {

namespace {

constexpr size_t max_headers = 20;
constexpr size_t max_header_bytes = 8u << 10;

constexpr std::string_view not_for_users[] = {
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
};

// Visible ASCII, with single spaces or tabs only inside.
bool is_value(std::string_view value) noexcept {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!value.empty() && (is_blank(value.front()) || is_blank(value.back())))
    return false;
  return std::ranges::all_of(value, [&is_blank](char c) {
    return is_blank(c) || (c > ' ' && c < '\x7f');
  });
}

std::string_view media_type(wire_format format) noexcept {
  return format == wire_format::cloudevents ? "application/cloudevents+json"
                                            : "application/json";
}

} // namespace

expected<void> check_custom_headers(const outgoing::header_list& headers) {
  const auto refuse = [](std::string why) {
    return fail(ec::unprocessable, "headers: " + std::move(why));
  };
  if (headers.size() > max_headers)
    return refuse("more than 20");
  std::set<std::string> seen;
  size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    bytes += name.size() + value.size();
    if (bytes > max_header_bytes)
      return refuse("more than 8 KiB");
    if (!is_token(name))
      return refuse("a name may hold letters, digits and !#$%&'*+-.^_`|~");
    const auto plain = lower_case(name);
    // The latter are orders to a NATS server: `Nats-Rollup` has it drop all
    // that its stream holds.
    if (plain.starts_with("webhook-") || plain.starts_with("nats-") ||
        std::ranges::find(not_for_users, plain) != std::end(not_for_users))
      return refuse("\"" + name + "\" can't be set");
    if (!is_value(value))
      return refuse("the value of \"" + name + "\" is not visible ASCII");
    if (!seen.insert(plain).second)
      return refuse("\"" + name + "\" is given twice");
  }
  return {};
}

outgoing::request make_request(const endpoint& to, const event_ptr& ev,
                               timestamp now) {
  return make_request(to, message_id(ev->id, to.subscription_id),
                      shared_text{std::string{codec::wire_text(ev, to.format)}},
                      now);
}

outgoing::request make_request(const endpoint& to, std::string_view message_id,
                               shared_text body, timestamp now) {
  outgoing::request out;
  out.url = to.url;
  out.total_timeout = to.timeout;
  out.connect_timeout = std::min(out.connect_timeout, to.timeout);
  out.headers = signed_headers(to.keys, message_id, now, body.view());
  out.headers.emplace_back("content-type", media_type(to.format));
  out.headers.insert(out.headers.end(), to.headers.begin(), to.headers.end());
  out.body = std::move(body);
  return out;
}

} // namespace eventweft::delivery
