// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/custom_ids.hpp"

#include "actors/platforms/sanitiser.hpp"
#include "codec/payload.hpp"
#include "crypto/digest.hpp"

namespace eventweft::platforms {

namespace {

std::string sent_id(simdjson::dom::element item, bool is_cloudevent) {
  if (is_cloudevent)
    return codec::string_at(item, "/source") + " " +
           codec::string_at(item, "/id");
  return codec::string_at(item, "/event_id");
}

} // namespace

std::string item_id(std::string_view key, size_t index) {
  return std::string{key} + "[#" + std::to_string(index) + "]";
}

bool is_item_id(std::string_view id) noexcept {
  if (!id.ends_with(']'))
    return false;
  id.remove_suffix(1);
  const auto digits = id.find_last_not_of("0123456789");
  return digits + 1 < id.size() && id.substr(0, digits + 1).ends_with("[#");
}

bool is_redacted(std::string_view id) noexcept {
  return id.find(redacted_text) != std::string_view::npos;
}

std::string id_in_place_of(std::string_view sent) {
  if (sent.empty() || is_redacted(sent))
    return {};
  return "sha256:" + crypto::to_hex(crypto::digest(crypto::hash::sha256, sent));
}

std::vector<std::string> sent_ids(std::string_view body, bool are_cloudevents) {
  // A reader of its own: the one that has read the body is still needed.
  codec::payload_reader reader;
  std::vector<std::string> out;
  const auto root = reader.parse(body);
  if (!root)
    return out;
  simdjson::dom::array items;
  if (root->get_array().get(items) == simdjson::SUCCESS)
    for (const auto item : items)
      out.push_back(sent_id(item, are_cloudevents));
  else
    out.push_back(sent_id(*root, are_cloudevents));
  return out;
}

} // namespace eventweft::platforms
