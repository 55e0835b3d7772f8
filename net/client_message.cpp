// SPDX-License-Identifier: Apache-2.0
#include "net/client_message.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "messages/complaint.hpp"

#include <simdjson.h>

#include <string>

namespace eventweft::net {

expected<client_message> parse_client_message(std::string_view text) {
  if (text.empty())
    return fail(ec::malformed, "the message is empty");
  codec::payload_reader reader;
  const auto root = reader.parse(text);
  if (!root)
    return fail(root.error());
  simdjson::dom::object object;
  if (root->get(object) != simdjson::SUCCESS)
    return fail(ec::malformed, "a message must be a JSON object");
  if (const auto twice = codec::repeated_member(object))
    return fail(ec::malformed, complaint(*twice, "is given twice"));
  // The reader has put something else in their place.
  if (codec::readable_escapes(text))
    return fail(ec::malformed, "a message must hold neither U+0000 nor half a "
                               "surrogate pair");
  client_message message;
  for (const auto [key, value] : object) {
    if (key == "filter") {
      auto f = codec::parse_filter(simdjson::minify(value));
      if (!f)
        return fail(f.error());
      message.filter = std::move(*f);
    } else if (key == "ack") {
      int64_t seq = 0;
      if (value.get(seq) != simdjson::SUCCESS || seq < 0)
        return fail(ec::malformed, "\"ack\" must be a seq");
      message.ack = seq;
    } else if (key == "credit") {
      int64_t n = 0;
      if (value.get(n) != simdjson::SUCCESS || n < 0 || n > most_credit)
        return fail(ec::malformed,
                    "\"credit\" must be a number of events, up to a billion");
      message.credit = static_cast<uint64_t>(n);
    } else if (key == "pause" || key == "resume") {
      bool yes = false;
      if (value.get(yes) != simdjson::SUCCESS || !yes)
        return fail(ec::malformed, "\"" + std::string{key} + "\" must be true");
      (key == "pause" ? message.pause : message.resume) = true;
    } else {
      return fail(ec::malformed, "unknown member \"" + std::string{key} +
                                     "\"; known are filter, ack, credit, "
                                     "pause and resume");
    }
  }
  if (object.size() == 0)
    return fail(ec::malformed, "an empty message says nothing");
  if (message.pause && message.resume)
    return fail(ec::malformed, "either \"pause\" or \"resume\", not both");
  return message;
}

} // namespace eventweft::net
