// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"

#include <eventweft/app.hpp>

namespace eventweft {

const char* version() noexcept {
  return EVENTWEFT_VERSION;
}

const char* to_string(Errc code) noexcept {
  switch (code) {
  case Errc::malformed:
    return "malformed";
  case Errc::unprocessable:
    return "unprocessable";
  case Errc::not_found:
    return "not_found";
  case Errc::conflict:
    return "conflict";
  case Errc::too_large:
    return "too_large";
  case Errc::overloaded:
    return "overloaded";
  case Errc::store_unavailable:
    return "store_unavailable";
  case Errc::store_full:
    return "store_full";
  case Errc::timed_out:
    return "timed_out";
  case Errc::not_running:
    return "not_running";
  case Errc::bad_configuration:
    return "bad_configuration";
  case Errc::not_supported:
    return "not_supported";
  case Errc::internal:
    break;
  }
  return "internal";
}

Error::Error(Errc code, const std::string& what)
    : std::runtime_error(what), code_(code) {}
Error::~Error() = default;

GiveUp::GiveUp(const std::string& why) : std::runtime_error(why) {}
GiveUp::~GiveUp() = default;

RetryAfter::RetryAfter(std::chrono::milliseconds pause, const std::string& why)
    : std::runtime_error(why), pause_(pause) {}
RetryAfter::~RetryAfter() = default;

Reply::Reply(
    std::initializer_list<std::pair<std::string_view, std::string_view>>
        members) {
  body = "{";
  for (const auto& [name, value] : members) {
    if (body.size() > 1)
      body += ',';
    codec::append_quoted(body, name);
    body += ':';
    codec::append_quoted(body, value);
  }
  body += '}';
}

Reply Reply::json(std::string text, int status) {
  Reply out;
  out.status = status;
  out.body = std::move(text);
  return out;
}

Reply Reply::text(std::string text, int status) {
  Reply out;
  out.status = status;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(text);
  return out;
}

} // namespace eventweft
