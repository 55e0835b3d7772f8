// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"

#include "codec/json_spans.hpp"
#include "codec/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace eventweft::codec {

namespace {

constexpr size_t max_depth = 1'024;
// A parser keeps about five bytes for each byte of the largest text it saw.
// Past this it starts afresh.
constexpr size_t keep_capacity = 4u << 20;

// Numbers that a double can't hold become the largest it can, so that the text
// that is written from `v` parses everywhere.
void make_finite(boost::json::value& v) {
  if (auto* number = v.if_double()) {
    if (!std::isfinite(*number))
      *number = std::copysign(std::numeric_limits<double>::max(), *number);
  } else if (auto* array = v.if_array()) {
    for (auto& item : *array)
      make_finite(item);
  } else if (auto* object = v.if_object()) {
    for (auto& item : *object)
      make_finite(item.value());
  }
}

boost::json::parse_options deep() {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  return options;
}

// simdjson does not say where a text is broken; this slower parser does.
// `sent` is what `text` was made of.
error explain(std::string_view sent, std::string_view text,
              simdjson::error_code why) {
  if (why == simdjson::UTF8_ERROR || !is_utf8(sent))
    return {ec::malformed,
            fmt::format("the body is not valid UTF-8, at byte {}",
                        utf8_length(sent))};
  if (why == simdjson::DEPTH_ERROR)
    return {ec::malformed,
            fmt::format("the JSON is nested deeper than {} levels", max_depth)};
  boost::json::stream_parser parser{{}, deep()};
  boost::json::error_code ignored;
  const size_t at = parser.write_some(text.data(), text.size(), ignored);
  if (!ignored && parser.done() && at < text.size())
    return {
        ec::malformed,
        fmt::format("unexpected text after the JSON value, at byte {}", at)};
  if (!ignored)
    parser.finish(ignored);
  if (at >= text.size())
    return {ec::malformed,
            fmt::format("the JSON ends too early, after {} bytes", at)};
  return {ec::malformed,
          fmt::format("not valid JSON: {} near byte {}",
                      ignored ? ignored.message()
                              : std::string{simdjson::error_message(why)},
                      at)};
}

} // namespace

struct payload_reader::state {
  /// simdjson reads a little past the end. Left alone, it copies each text to
  /// memory that it has just been given.
  simdjson::error_code read(std::string_view source,
                            simdjson::dom::element& root) {
    padded.reserve(source.size() + simdjson::SIMDJSON_PADDING);
    padded.assign(source);
    return parser.parse(padded.data(), padded.size(), false).get(root);
  }

  simdjson::dom::parser parser;
  std::string padded;
  shared_text readable;
  // Held, so that no other text can be at its place.
  shared_text last;
  simdjson::dom::element last_root;
};

payload_reader::payload_reader() : state_(std::make_unique<state>()) {
  // nop
}

payload_reader::~payload_reader() = default;
payload_reader::payload_reader(payload_reader&&) noexcept = default;
payload_reader& payload_reader::operator=(payload_reader&&) noexcept = default;

expected<simdjson::dom::element> payload_reader::parse(std::string_view text) {
  state_->readable = {};
  // Until we are done: `text` may be a part of it.
  const auto before = std::exchange(state_->last, {});
  if (state_->parser.capacity() > keep_capacity &&
      text.size() < keep_capacity) {
    state_->parser = simdjson::dom::parser{};
    state_->padded = {};
  }
  if (text.empty())
    return fail(ec::malformed, "the body is empty");
  auto readable = readable_json(text);
  const std::string_view source = readable ? *readable : text;
  simdjson::dom::element root;
  auto why = state_->read(source, root);
  if (why == simdjson::NUMBER_ERROR) {
    // Valid JSON may hold numbers of any size; simdjson takes 64 bits.
    boost::json::error_code failed;
    auto value =
        boost::json::parse({source.data(), source.size()}, failed, {}, deep());
    if (failed)
      return fail(explain(text, source, why));
    make_finite(value);
    why = state_->read(boost::json::serialize(value), root);
  }
  if (why)
    return fail(explain(text, source, why));
  if (readable)
    state_->readable = shared_text{std::move(*readable)};
  return root;
}

expected<simdjson::dom::element>
payload_reader::parse(const shared_text& text) {
  const auto wanted = text.view();
  const auto last = state_->last.view();
  if (!last.empty() && last.data() == wanted.data() &&
      last.size() == wanted.size())
    return state_->last_root;
  auto root = parse(wanted);
  if (root && wanted.size() <= keep_capacity) {
    state_->last = text;
    state_->last_root = *root;
  }
  return root;
}

payload_reader& thread_payload_reader() {
  thread_local payload_reader reader;
  return reader;
}

const shared_text& payload_reader::readable() const noexcept {
  return state_->readable;
}

std::optional<std::string_view> repeated_member(simdjson::dom::object members) {
  std::set<std::string_view> seen;
  for (const auto& member : members)
    if (!seen.insert(member.key).second)
      return member.key;
  return std::nullopt;
}

std::optional<std::string_view> text_at(simdjson::dom::element root,
                                        std::string_view pointer,
                                        std::string& scratch) {
  simdjson::dom::element found;
  if (root.at_pointer(pointer).get(found))
    return std::nullopt;
  switch (found.type()) {
  case simdjson::dom::element_type::STRING:
    return found.get_string().value_unsafe();
  case simdjson::dom::element_type::INT64:
  case simdjson::dom::element_type::UINT64:
  case simdjson::dom::element_type::DOUBLE:
  case simdjson::dom::element_type::BOOL:
    scratch = simdjson::minify(found);
    return scratch;
  default:
    return std::nullopt;
  }
}

std::optional<std::string_view> text_at(simdjson::dom::element root,
                                        std::string_view sent,
                                        std::string_view pointer,
                                        std::string& scratch) {
  const auto found = text_at(root, pointer, scratch);
  // What is a path with a wildcard there is a name here.
  if (!found || pointer.find('*') != pointer.npos ||
      !root.at_pointer(pointer).is_double())
    return found;
  const auto places = json_places(sent, pointer);
  if (places.empty())
    return found;
  const auto digits =
      places.front().substr(places.front().starts_with('-') ? 1 : 0);
  const bool whole =
      !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  return whole ? places.front() : found;
}

std::string string_at(simdjson::dom::element root, std::string_view pointer) {
  std::string scratch;
  return std::string{text_at(root, pointer, scratch).value_or("")};
}

} // namespace eventweft::codec
