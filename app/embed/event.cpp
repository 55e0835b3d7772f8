// SPDX-License-Identifier: Apache-2.0
#include "app/embed/record.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"

#include <eventweft/event.hpp>

namespace eventweft {

namespace {

/// "commits.0.id" → "/commits/0/id"
std::string pointer_of(std::string_view path) {
  std::string out = "/";
  for (char c : path) {
    if (c == '.')
      out += '/';
    else if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

} // namespace

std::string_view to_string(Priority p) noexcept {
  return to_string(static_cast<eventweft::priority>(p));
}

std::string_view Event::id() const noexcept {
  return record_->id;
}

int64_t Event::seq() const noexcept {
  return record_->ev->seq;
}

std::string_view Event::event_id() const noexcept {
  return record_->ev->event_id;
}

std::string_view Event::platform() const noexcept {
  return record_->ev->platform;
}

std::string_view Event::event_type() const noexcept {
  return record_->ev->event_type;
}

std::string_view Event::source_id() const noexcept {
  return record_->ev->source_id;
}

std::string_view Event::source_name() const noexcept {
  return record_->ev->source_name;
}

std::string_view Event::actor_id() const noexcept {
  return record_->ev->actor_id;
}

std::string_view Event::actor_name() const noexcept {
  return record_->ev->actor_name;
}

Priority Event::priority() const noexcept {
  return static_cast<Priority>(record_->ev->priority);
}

std::string_view Event::correlation_id() const noexcept {
  return record_->correlation_id;
}

std::string_view Event::metadata() const noexcept {
  return record_->ev->metadata;
}

std::chrono::system_clock::time_point Event::created_at() const noexcept {
  return record_->ev->created_at;
}

std::string_view Event::payload() const noexcept {
  return record_->ev->payload.view();
}

std::optional<std::string> Event::text(std::string_view path) const {
  thread_local codec::payload_reader reader;
  const auto root = reader.parse(record_->ev->payload);
  if (!root)
    return std::nullopt;
  std::string scratch;
  const auto found = codec::text_at(*root, record_->ev->payload.view(),
                                    pointer_of(path), scratch);
  return found ? std::optional{std::string{*found}} : std::nullopt;
}

std::string_view Event::json() const {
  return codec::wire_text(record_->ev, wire_format::native);
}

} // namespace eventweft
