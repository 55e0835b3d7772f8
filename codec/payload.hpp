// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::codec {

/// Reads one JSON text at a time: one simdjson pass checks all of it (UTF-8,
/// structure, numbers, depth ≤ 1,024) and gives access to its members. Keep one
/// for each thread or actor and use it again and again: its buffers stay.
class payload_reader {
 public:
  payload_reader();
  ~payload_reader();
  payload_reader(payload_reader&&) noexcept;
  payload_reader& operator=(payload_reader&&) noexcept;

  /// The root element, valid until the next call or the end of the reader.
  /// `malformed` names the fault and the byte offset where that is known.
  /// Accepts all that RFC 8259 allows, also numbers beyond 64 bits (they read
  /// as doubles) and lone surrogates (they read as U+FFFD).
  expected<simdjson::dom::element> parse(std::string_view text);

  /// The same, but the text that was the last is not read again: whoever looks
  /// at a payload after its platform finds it read. Keeps the text until the
  /// next one, unless it is large.
  expected<simdjson::dom::element> parse(const shared_text& text);

  /// Set if the last text holds escapes or numbers that SQL engines can't read
  /// back: the text for `event::payload_readable`.
  const shared_text& readable() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// One for the calling thread: what one function read, the next finds.
payload_reader& thread_payload_reader();

/// A member that is there more than once: readers disagree about which of them
/// counts. Nothing if there is none.
std::optional<std::string_view> repeated_member(simdjson::dom::object members);

/// The string at an RFC 6901 pointer such as "/repository/full_name"; numbers
/// and booleans as their JSON text; nothing if there is none or it is null, an
/// object or an array. A view into the reader's document, or into `scratch`.
std::optional<std::string_view> text_at(simdjson::dom::element root,
                                        std::string_view pointer,
                                        std::string& scratch);

/// The same, where `sent` is the text that `root` was read out of: whole
/// numbers of more than 64 bits are in it digit by digit, not in `root`.
std::optional<std::string_view> text_at(simdjson::dom::element root,
                                        std::string_view sent,
                                        std::string_view pointer,
                                        std::string& scratch);

/// The same as an own string, empty if there is none.
std::string string_at(simdjson::dom::element root, std::string_view pointer);

} // namespace eventweft::codec
