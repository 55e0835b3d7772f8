// SPDX-License-Identifier: Apache-2.0
#include "codec/cloudevents.hpp"

#include "codec/json_spans.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "crypto/digest.hpp"
#include "messages/ascii.hpp"
#include "messages/time.hpp"
#include "messages/url_escape.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace eventweft::codec {

namespace {

constexpr std::string_view batch_type = "application/cloudevents-batch";
constexpr std::string_view event_type = "application/cloudevents";
constexpr size_t max_attributes = 100;
// Which of them counts, an identity say, readers would disagree about.
constexpr std::string_view repeated = "is given twice";

// Without parameters, in lower case.
std::string media_type(std::string_view content_type) {
  auto out = lower_case(content_type.substr(0, content_type.find(';')));
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t'; });
  return out;
}

bool is_json_type(std::string_view content_type) {
  const auto type = media_type(content_type);
  return type == "application/json" || type == "text/json" ||
         type.ends_with("+json");
}

bool is_attribute_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

// The characters of RFC 3986: ASCII without blanks, control characters and a
// few others; a '%' begins an escape; brackets hold an authority's IP address.
bool is_uri_reference(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%' &&
        (i + 2 >= text.size() || !is_hex(text.substr(i + 1, 2))))
      return false;
  const auto bracket = text.find_first_of("[]");
  if (bracket != text.npos) {
    const auto from = text.find("//");
    const auto close = text.find(']', bracket);
    if (from == text.npos || from > bracket || text[bracket] != '[' ||
        close == text.npos || text.find_first_of("/?#") < from ||
        text.substr(from + 2, close - from - 2).find_first_of("/?#") !=
            text.npos ||
        text.find_first_of("[]", bracket + 1) != close ||
        text.find_first_of("[]", close + 1) != text.npos)
      return false;
  }
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || c == '"' || c == '<' || c == '>' ||
           c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' ||
           c == '}';
  });
}

// `type/subtype`, whatever parameters follow.
bool is_media_type(std::string_view text) {
  const auto type = media_type(text);
  const auto slash = type.find('/');
  return slash != type.npos && is_token(type.substr(0, slash)) &&
         is_token(type.substr(slash + 1));
}

// What dataschema is: no relative reference, since nothing says to what. A
// fragment, which points into a schema, may follow.
bool is_absolute_uri(std::string_view text) noexcept {
  const auto letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  const auto scheme = text.substr(0, text.find(':'));
  return scheme.size() < text.size() && !scheme.empty() &&
         letter(scheme.front()) &&
         std::all_of(scheme.begin(), scheme.end(),
                     [&](char c) {
                       return letter(c) || (c >= '0' && c <= '9') || c == '+' ||
                              c == '-' || c == '.';
                     }) &&
         is_uri_reference(text);
}

// What the type String excludes: control characters, also those from U+0080
// to U+009F, and code points that Unicode keeps for no character. `text` is
// UTF-8.
bool has_no_characters(std::string_view text) noexcept {
  const auto at = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = at(i);
    if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && at(i + 1) < 0xa0))
      return true;
    // U+FDD0 to U+FDEF, U+FFFE and U+FFFF.
    if (byte == 0xef &&
        ((at(i + 1) == 0xb7 && at(i + 2) >= 0x90 && at(i + 2) <= 0xaf) ||
         (at(i + 1) == 0xbf && at(i + 2) >= 0xbe)))
      return true;
    // The last two of each further plane.
    if (byte >= 0xf0 && (at(i + 1) & 0x0fu) == 0x0f && at(i + 2) == 0xbf &&
        at(i + 3) >= 0xbe)
      return true;
  }
  return false;
}

// Collects attributes and says what is wrong with them; the same rules for
// all modes.
class attribute_reader {
 public:
  explicit attribute_reader(cloudevent& out) : out_(out) {}

  expected<void> text(std::string_view name, std::string_view value) {
    if (name == "specversion") {
      if (std::exchange(version_, true))
        return refuse(name, repeated);
      if (value != "1.0")
        return fail(ec::unprocessable, "specversion \"" + std::string{value} +
                                           "\" is not supported; send 1.0");
      return {};
    }
    if (has_no_characters(value))
      return refuse(name, "holds control characters or code points that are "
                          "no characters");
    if (name == "id" || name == "type" || name == "source" ||
        name == "subject") {
      if (value.empty())
        return refuse(name, "is empty");
      if (name == "source" && !is_uri_reference(value))
        return refuse(name, "is not a URI reference; percent-encode what is "
                            "none of its characters");
      if (!target(name).empty())
        return refuse(name, repeated);
      target(name) = value;
      return {};
    }
    if (name == "time" && !parse_rfc3339(value))
      return refuse(name, "is not an RFC 3339 time");
    if (name == "datacontenttype" && !is_media_type(value))
      return refuse(name, "is not a media type");
    if (name == "dataschema" && !is_absolute_uri(value))
      return refuse(name, "is not an absolute URI");
    return other(name, quoted(value));
  }

  // What is beyond the type Integer, readers in other languages would take for
  // another number.
  expected<void> integer(std::string_view name, simdjson::dom::element value) {
    int64_t number = 0;
    if (value.get_int64().get(number) ||
        number < std::numeric_limits<int32_t>::min() ||
        number > std::numeric_limits<int32_t>::max())
      return refuse(name, "is an integer of more than 32 bits; send a string");
    return other(name, std::to_string(number));
  }

  expected<void> other(std::string_view name, std::string json) {
    if (out_.attributes.size() == max_attributes)
      return fail(ec::malformed, "more than " + std::to_string(max_attributes) +
                                     " attributes");
    if (std::ranges::any_of(out_.attributes,
                            [name](const auto& a) { return a.first == name; }))
      return refuse(name, repeated);
    out_.attributes.emplace_back(name, std::move(json));
    return {};
  }

  expected<void> finish() const {
    if (!version_)
      return refuse("specversion", "is missing");
    if (out_.id.empty())
      return refuse("id", "is missing");
    if (out_.source.empty())
      return refuse("source", "is missing");
    if (out_.type.empty())
      return refuse("type", "is missing");
    return {};
  }

  static tl::unexpected<error> refuse(std::string_view name,
                                      std::string_view why) {
    return fail(ec::malformed, "CloudEvents attribute " + std::string{name} +
                                   " " + std::string{why});
  }

 private:
  std::string& target(std::string_view name) {
    if (name == "id")
      return out_.id;
    if (name == "type")
      return out_.type;
    return name == "source" ? out_.source : out_.subject;
  }

  cloudevent& out_;
  bool version_ = false;
};

// What data becomes that is no JSON.
shared_text wrapped(std::string_view bytes, std::string_view content_type) {
  if (media_type(content_type).starts_with("text/") && is_utf8(bytes))
    return shared_text{quoted(bytes)};
  return shared_text{
      "{\"data_base64\":" + codec::quoted(crypto::to_base64(bytes)) + "}"};
}

// The JSON format takes the type for JSON where none is given.
shared_text decoded_data(std::string bytes,
                         std::optional<std::string_view> content_type,
                         const text_editor& edit) {
  if (edit && is_utf8(bytes))
    if (auto edited = edit(bytes))
      bytes = std::move(*edited);
  if (!content_type || is_json_type(*content_type)) {
    payload_reader reader;
    if (reader.parse(bytes))
      return shared_text{std::move(bytes)};
  }
  return wrapped(bytes, content_type.value_or(""));
}

} // namespace

cloudevents_mode cloudevents_mode_of(const header_list& headers) noexcept {
  if (const auto* type = find_header(headers, "content-type")) {
    const auto is = [&](std::string_view prefix) {
      return type->size() >= prefix.size() &&
             std::equal(prefix.begin(), prefix.end(), type->begin(),
                        [](char a, char b) {
                          return a == (b >= 'A' && b <= 'Z'
                                           ? static_cast<char>(b - 'A' + 'a')
                                           : b);
                        });
    };
    if (is(batch_type))
      return cloudevents_mode::batched;
    if (is(event_type))
      return cloudevents_mode::structured;
  }
  const bool any =
      std::any_of(headers.begin(), headers.end(), [](const auto& h) {
        return h.first == "ce-specversion" || h.first == "ce-id" ||
               h.first == "ce-type" || h.first == "ce-source";
      });
  return any ? cloudevents_mode::binary : cloudevents_mode::none;
}

expected<std::string> decode_cloudevents_header(std::string_view value) {
  std::string bare;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '\\' && i + 1 < value.size())
        ++i;
      bare.push_back(value[i]);
    }
    value = bare;
  }
  // Text that only looks like a percent sequence stays as it is.
  auto out = url_unescaped(value).text;
  if (!is_utf8(out))
    return fail(ec::malformed, "is not valid UTF-8");
  return out;
}

expected<cloudevent> read_binary_cloudevent(const header_list& headers,
                                            const shared_text& body) {
  cloudevent out;
  attribute_reader read{out};
  for (const auto& [header, value] : headers) {
    if (!header.starts_with("ce-"))
      continue;
    const auto name = std::string_view{header}.substr(3);
    if (!is_attribute_name(name))
      return read.refuse(name, "has a name that is not lower-case letters and "
                               "digits");
    if (name == "datacontenttype" || name == "data" || name == "data_base64")
      return read.refuse(name, "has no place in a header");
    auto text = decode_cloudevents_header(value);
    if (!text)
      return read.refuse(name, text.error().message);
    // Not all senders escape the escapes of a URI once more, as the binding has
    // it; the SDK for JavaScript does not.
    if ((name == "source" || name == "dataschema") &&
        !is_uri_reference(*text) && is_uri_reference(value))
      *text = value;
    if (auto taken = read.text(name, *text); !taken)
      return fail(std::move(taken.error()));
  }
  if (auto done = read.finish(); !done)
    return fail(std::move(done.error()));
  const auto* type = find_header(headers, "content-type");
  if (type && is_utf8(*type))
    if (auto taken = read.text("datacontenttype", *type); !taken)
      return fail(std::move(taken.error()));
  if (body.empty()) {
    out.data = shared_text{"null"};
  } else if (!type) {
    return fail(ec::unsupported_media_type,
                "header Content-Type is missing, which names the data's type");
  } else if (is_json_type(*type)) {
    // Its first reader checks it.
    out.data = body;
  } else {
    out.data = wrapped(body.view(), *type);
  }
  return out;
}

expected<cloudevent> read_structured_cloudevent(simdjson::dom::element parsed,
                                                std::string_view text,
                                                const text_editor& edit) {
  using simdjson::dom::element_type;
  simdjson::dom::object object;
  if (parsed.get_object().get(object))
    return fail(ec::malformed, "a CloudEvent is a JSON object");
  cloudevent out;
  attribute_reader read{out};
  bool has_data = false;
  std::optional<std::string_view> base64;
  std::optional<std::string_view> content_type;
  for (const auto member : object) {
    const auto name = member.key;
    const auto type = member.value.type();
    if (name == "data") {
      if (std::exchange(has_data, true))
        return read.refuse(name, repeated);
      continue;
    }
    // A null attribute is as good as none.
    if (type == element_type::NULL_VALUE)
      continue;
    if (name == "data_base64") {
      if (type != element_type::STRING)
        return fail(ec::malformed, "data_base64 is not a string");
      if (base64)
        return read.refuse(name, repeated);
      base64 = member.value.get_string().value_unsafe();
      continue;
    }
    if (!is_attribute_name(name))
      return read.refuse(name, "has a name that is not lower-case letters and "
                               "digits");
    expected<void> taken;
    if (name == "datacontenttype" && type == element_type::STRING)
      content_type = member.value.get_string().value_unsafe();
    if (type == element_type::STRING)
      taken = read.text(name, member.value.get_string().value_unsafe());
    else if (name == "id" || name == "source" || name == "type" ||
             name == "subject" || name == "specversion" || name == "time" ||
             name == "dataschema" || name == "datacontenttype")
      taken = read.refuse(name, "is not a string");
    else if (type == element_type::INT64 || type == element_type::UINT64)
      taken = read.integer(name, member.value);
    else if (type == element_type::BOOL)
      taken = read.other(name, simdjson::minify(member.value));
    else
      taken = read.refuse(name, "is not a string, an integer or a boolean");
    if (!taken)
      return fail(std::move(taken.error()));
  }
  if (auto done = read.finish(); !done)
    return fail(std::move(done.error()));
  if (has_data && base64)
    return fail(ec::malformed, "data and data_base64 exclude each other");
  if (base64) {
    auto bytes = crypto::from_base64(*base64);
    if (!bytes)
      return fail(ec::malformed, "data_base64 is not base64");
    out.data = decoded_data(std::move(*bytes), content_type, edit);
  } else if (has_data) {
    const auto places = json_places(text, "/data");
    out.data =
        shared_text{std::string{places.empty() ? "null" : places.front()}};
  } else {
    out.data = shared_text{"null"};
  }
  return out;
}

} // namespace eventweft::codec
