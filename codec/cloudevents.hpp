// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/webhook.hpp"

#include <simdjson.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::codec {

/// How an HTTP request carries CloudEvents.
enum class cloudevents_mode { none, binary, structured, batched };

/// One CloudEvents 1.0 event as it came over HTTP.
struct cloudevent {
  std::string id;
  /// A URI reference; together with `id` the event's identity.
  std::string source;
  std::string type;
  std::string subject;
  /// All other attributes, extensions among them, with JSON texts as values;
  /// in the order received.
  std::vector<std::pair<std::string, std::string>> attributes;
  /// The data as a JSON text: the sender's own bytes where they are JSON, a
  /// string for other text, `{"data_base64":"…"}` for other bytes, "null" for
  /// none.
  shared_text data;

  bool operator==(const cloudevent&) const = default;
};

/// What `headers` announce: the batch's media type, a structured one, or `ce-`
/// headers.
cloudevents_mode cloudevents_mode_of(const header_list& headers) noexcept;

/// Binary mode: attributes in `ce-` headers, `body` is the data and stays
/// shared where it is JSON. `malformed` names the attribute.
expected<cloudevent> read_binary_cloudevent(const header_list& headers,
                                            const shared_text& body);

/// Gives what is to be kept of a text, if that is not all of it.
using text_editor = std::function<std::optional<std::string>(std::string_view)>;

/// The JSON format. `parsed` is what a parser made of `text`. `malformed`
/// names the member; `unprocessable` a version other than 1.0. What stands in
/// `data_base64` becomes what the same bytes become in binary mode, and is
/// shown to `edit` before, if it is UTF-8; said to be JSON without being any,
/// it stays Base64.
expected<cloudevent> read_structured_cloudevent(simdjson::dom::element parsed,
                                                std::string_view text,
                                                const text_editor& edit = {});

/// Undoes the HTTP binding's encoding of header values: quotes, then percent
/// sequences, once. `malformed` for text that is not UTF-8 afterwards.
expected<std::string> decode_cloudevents_header(std::string_view value);

} // namespace eventweft::codec
