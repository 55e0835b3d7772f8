// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/custom.hpp"

#include "actors/platforms/custom_ids.hpp"
#include "actors/platforms/native_event.hpp"
#include "actors/platforms/standard_webhooks.hpp"
#include "codec/cloudevents.hpp"
#include "codec/json_spans.hpp"
#include "codec/json_text.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <span>

namespace eventweft::platforms {

namespace {

using codec::cloudevents_mode;
using simdjson::dom::element;

signature_scheme query_token() {
  signature_scheme s;
  s.query_parameter = "access_token";
  s.algorithm = proof_algorithm::static_token;
  return s;
}

event from_cloudevent(codec::cloudevent ce) {
  event ev;
  ev.platform = "cloudevents";
  // A source holds no blank, so no two pairs give one text.
  ev.event_id = ce.source + " " + ce.id;
  ev.event_type = std::move(ce.type);
  ev.source_id = ce.source;
  ev.source_name = ce.subject.empty() ? ce.source : ce.subject;
  metadata_writer attributes;
  attributes.text("id", ce.id)
      .text("source", ce.source)
      .text("subject", ce.subject);
  for (const auto& [name, json] : ce.attributes)
    attributes.raw(name, json);
  metadata_writer metadata;
  metadata.raw("cloudevents", std::move(attributes).finish());
  ev.metadata = std::move(metadata).finish();
  ev.payload = std::move(ce.data);
  return ev;
}

class custom final : public base_platform {
 public:
  custom(signature_verifier verifier, policies rules,
         const platform_parts& parts,
         std::set<std::string, std::less<>> reserved)
      : base_platform("events", std::move(verifier), std::move(rules), parts),
        reserved_(std::move(reserved)) {}

  expected<acceptance> accept(const webhook& w) const override {
    if (w.method == "OPTIONS")
      return handshake(w);
    return base_platform::accept(w);
  }

 protected:
  // Pointers lead into each event's payload, shapes of tokens may stand
  // anywhere.
  expected<void> sanitise(request& r) const override {
    if (codec::cloudevents_mode_of(r.raw().headers) == cloudevents_mode::binary)
      return {};
    if (!r.json())
      return {};
    if (auto found = redactions().shapes(r.payload()->view()))
      r.replace_payload(std::move(*found));
    return {};
  }

  void prepare(request& r) const override {
    // Structured and batched media types end in "+json", or in nothing.
    const auto mode = codec::cloudevents_mode_of(r.raw().headers);
    if (mode == cloudevents_mode::structured ||
        mode == cloudevents_mode::batched)
      r.assume_json();
  }

  expected<acceptance> read(request& r) const override {
    switch (codec::cloudevents_mode_of(r.raw().headers)) {
    case cloudevents_mode::binary:
      return read_binary(r);
    case cloudevents_mode::structured:
      if (auto checked = check_format(r, "application/cloudevents+json");
          !checked)
        return fail(std::move(checked.error()));
      return read_one(r, true);
    case cloudevents_mode::batched:
      if (auto checked = check_format(r, "application/cloudevents-batch+json");
          !checked)
        return fail(std::move(checked.error()));
      return read_many(r, true);
    case cloudevents_mode::none:
      break;
    }
    if (r.kind() != body_kind::json)
      return fail(ec::unsupported_media_type,
                  std::string{"header Content-Type "} +
                      (r.kind() == body_kind::none
                           ? "is missing"
                           : "names what is not taken here") +
                      "; send application/json, or CloudEvents as "
                      "application/cloudevents+json, as "
                      "application/cloudevents-batch+json or with ce- headers");
    const auto root = r.json();
    if (!root)
      return fail(root.error());
    return root->is_array() ? read_many(r, false) : read_one(r, false);
  }

 private:
  static expected<void> check_format(const request& r,
                                     std::string_view expected_type) {
    const auto type = r.header("content-type").value_or("");
    auto bare = std::string{type.substr(0, type.find(';'))};
    while (!bare.empty() && bare.back() == ' ')
      bare.pop_back();
    const bool same = std::equal(bare.begin(), bare.end(),
                                 expected_type.begin(), expected_type.end(),
                                 [](char a, char b) { return lower(a) == b; });
    if (!same)
      return fail(ec::unsupported_media_type,
                  "CloudEvents come as " + std::string{expected_type} +
                      "; the format of " + bare + " is not known");
    return {};
  }

  expected<acceptance> read_binary(request& r) const {
    // Before text that is no JSON becomes Base64.
    auto body = r.raw().body;
    std::vector<std::string> notes;
    if (simdjson::validate_utf8(body.view()))
      if (auto found = redactions().shapes(body.view())) {
        body = shared_text{std::move(found->text)};
        notes = std::move(found->notes);
      }
    auto ce = codec::read_binary_cloudevent(r.raw().headers, body);
    if (!ce)
      return fail(std::move(ce.error()));
    auto bare = from_cloudevent(std::move(*ce));
    auto ev = finish(r, std::move(bare), std::move(notes));
    if (!ev)
      return fail(std::move(ev.error()));
    note_trace(r, *ev);
    acceptance out;
    out.events.push_back(std::move(*ev));
    return out;
  }

  expected<acceptance> read_one(request& r, bool is_cloudevent) const {
    const auto root = r.object();
    if (!root)
      return fail(root.error());
    const auto text = r.payload()->view();
    const auto key = r.idempotency_key(max_event_id);
    if (!key)
      return fail(key.error());
    if (is_item_id(*key))
      return fail(ec::malformed,
                  "header Idempotency-Key ends like the id of an array's item");
    std::vector<std::string> notes;
    auto ev = read_item(*root, text, is_cloudevent, *key, notes);
    if (ev && is_redacted(ev->event_id))
      give_ids(r, is_cloudevent, {&ev, 1});
    if (ev)
      ev = finish(r, std::move(*ev), std::move(notes));
    if (!ev)
      return fail(std::move(ev.error()));
    note_trace(r, *ev);
    acceptance out;
    out.events.push_back(std::move(*ev));
    return out;
  }

  expected<acceptance> read_many(request& r, bool are_cloudevents) const {
    const auto root = r.json();
    if (!root)
      return fail(root.error());
    simdjson::dom::array array;
    if (root->get_array().get(array))
      return fail(ec::malformed, "body: a batch is a JSON array");
    const auto key = r.idempotency_key(max_event_id);
    if (!key)
      return fail(key.error());
    const auto texts = codec::json_members(r.payload()->view());
    if (texts.size() > max_batch)
      return fail(ec::too_large, "more than " + std::to_string(max_batch) +
                                     " events in one request");
    acceptance out;
    out.batch = true;
    // `finish` parses payloads of its own, so all items are read before.
    std::vector<expected<event>> items;
    std::vector<std::vector<std::string>> notes(texts.size());
    size_t index = 0;
    for (const auto item : array) {
      auto own = key->empty() ? *key : item_id(*key, index);
      items.push_back(read_item(item, texts[index].value, are_cloudevents,
                                std::move(own), notes[index]));
      ++index;
    }
    if (std::ranges::any_of(items, [](const auto& item) {
          return item && is_redacted(item->event_id);
        }))
      give_ids(r, are_cloudevents, items);
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i])
        items[i] = finish(r, std::move(*items[i]), std::move(notes[i]));
      if (items[i]) {
        out.events.push_back(std::move(*items[i]));
        out.refused.emplace_back();
      } else {
        auto why = std::move(items[i].error());
        why.message = "item " + std::to_string(i) + ": " + why.message;
        out.refused.emplace_back(std::move(why));
      }
    }
    return out;
  }

  // Adds what was taken out of the item to `notes`, but for what was taken out
  // of the whole body before.
  expected<event> read_item(element item, std::string_view text,
                            bool is_cloudevent, std::string key,
                            std::vector<std::string>& notes) const {
    if (is_cloudevent) {
      // Nobody has seen yet what Base64 hides.
      const auto edit = [&](std::string_view data) {
        std::optional<std::string> out;
        if (auto found = redactions().shapes(data)) {
          out = std::move(found->text);
          notes = std::move(found->notes);
        }
        return out;
      };
      auto ce = codec::read_structured_cloudevent(item, text, edit);
      if (!ce)
        return fail(std::move(ce.error()));
      return from_cloudevent(std::move(*ce));
    }
    auto ev = read_native(item, text);
    if (!ev)
      return ev;
    if (ev->platform == "cloudevents")
      return invalid_member("platform",
                            "cloudevents is for what comes as CloudEvents");
    if (ev->platform == "eventweft")
      return invalid_member("platform",
                            "eventweft is for the hub's own events");
    if (reserved_.contains(ev->platform))
      return invalid_member("platform",
                            ev->platform + " proves its events by itself");
    if (is_item_id(ev->event_id))
      return invalid_member("event_id", "ends like the id of an array's item");
    if (ev->event_id.empty())
      ev->event_id = std::move(key);
    return ev;
  }

  // To the items of which an id has lost a token.
  static void give_ids(const request& r, bool are_cloudevents,
                       std::span<expected<event>> items) {
    const auto sent = sent_ids(r.raw().body.view(), are_cloudevents);
    for (size_t i = 0; i < std::min(items.size(), sent.size()); ++i)
      if (auto& ev = items[i]; ev && is_redacted(ev->event_id))
        ev->event_id = id_in_place_of(sent[i]);
  }

  // Everything that needs the payload by itself. Tokens are gone from the body
  // by now, not from what came in headers.
  expected<event> finish(request& r, event ev,
                         std::vector<std::string> notes = {}) const {
    thread_local codec::payload_reader reader;
    redact_envelope(ev, notes);
    notes.insert(notes.end(), r.redactions().begin(), r.redactions().end());
    if (auto found = redactions().pointers(ev.payload.view())) {
      ev.payload = shared_text{std::move(found->text)};
      notes.insert(notes.end(), found->notes.begin(), found->notes.end());
    }
    const auto payload = reader.parse(ev.payload.view());
    if (!payload)
      return fail(payload.error());
    ev.payload_readable = reader.readable();
    if (auto readable = codec::readable_json(ev.metadata))
      ev.metadata = std::move(*readable);
    prioritise(*payload, ev);
    std::ranges::sort(notes);
    notes.erase(std::unique(notes.begin(), notes.end()), notes.end());
    if (!notes.empty())
      ev.metadata = with_redactions(std::move(ev.metadata), notes);
    stamp(r.raw(), ev);
    // One that the sender has redacted does not tell events apart.
    if (ev.event_id.empty() || is_redacted(ev.event_id))
      ev.event_id = to_string(ev.id);
    return ev;
  }

  // CloudEvents' abuse protection: a sender asks before it sends.
  expected<acceptance> handshake(const webhook& w) const {
    request r{w};
    acceptance out;
    webhook_answer answer{
        .status = 200, .content_type = {}, .headers = {}, .body = {}};
    answer.headers.emplace_back("Allow", "POST, OPTIONS");
    if (r.header("webhook-request-origin")) {
      const auto origin = r.need_header("webhook-request-origin", 512);
      if (!origin)
        return fail(origin.error());
      answer.headers.emplace_back("WebHook-Allowed-Origin", *origin);
      answer.headers.emplace_back("WebHook-Allowed-Rate", "*");
    }
    out.answer = std::move(answer);
    return out;
  }

  std::set<std::string, std::less<>> reserved_;
};

} // namespace

expected<platform_ptr>
make_custom(const platform_parts& parts,
            std::set<std::string, std::less<>> reserved) {
  return make_platform<custom>("events", {bearer_token(), query_token()}, parts,
                               std::move(reserved));
}

} // namespace eventweft::platforms
