// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/base_platform.hpp"

#include "codec/json_text.hpp"
#include "crypto/digest.hpp"
#include "messages/ascii.hpp"
#include "messages/trace_context.hpp"

#include <algorithm>

namespace eventweft::platforms {

base_platform::base_platform(std::string name, signature_verifier verifier,
                             policies rules, const platform_parts& parts)
    : name_(std::move(name)),
      verifier_(std::move(verifier)),
      rules_(std::move(rules)),
      max_body_bytes_(parts.settings.max_body_bytes),
      time_(parts.time),
      random_(parts.random) {
  // nop
}

expected<policies> make_policies(std::string_view name,
                                 const config::platform_settings& settings) {
  policies out;
  const auto section = "[platforms." + std::string{name} + "]";
  auto rules = priority_rules::make(settings.priority, section + " priority");
  if (!rules)
    return fail(std::move(rules.error()));
  out.priorities = std::move(*rules);
  auto redact = sanitiser::make(settings, section);
  if (!redact)
    return fail(std::move(redact.error()));
  out.redact = std::move(*redact);
  return out;
}

expected<acceptance> base_platform::accept(const webhook& w) const {
  if (w.method != "POST")
    return fail(ec::method_not_allowed,
                name_ + " sends its webhooks with POST, not " + w.method);
  if (max_body_bytes_ > 0 && w.body.size() > max_body_bytes_)
    return fail(ec::too_large, "the body is larger than " +
                                   std::to_string(max_body_bytes_) + " bytes");
  request r{w};
  prepare(r);
  if (!w.proven)
    if (const auto proof = verifier_.verify(r, now()); !proof)
      return fail(proof.error());
  if (rules_.redact.has_pointers() || rules_.redact.has_shapes())
    if (auto clean = sanitise(r); !clean)
      return fail(std::move(clean.error()));
  return read(r);
}

void base_platform::prepare(request&) const {
  // nop
}

expected<void> base_platform::sanitise(request& r) const {
  // Broken bodies are left to their reader to complain about.
  if (!r.json())
    return {};
  const auto text = r.payload();
  if (auto found = rules_.redact.apply(text->view()))
    r.replace_payload(std::move(*found));
  return {};
}

expected<void> base_platform::complete(request& r, event& ev) const {
  auto root = r.json();
  if (!root)
    return fail(std::move(root.error()));
  auto text = r.payload();
  if (!text)
    return fail(std::move(text.error()));
  ev.payload = std::move(*text);
  ev.payload_readable = r.readable();
  prioritise(*root, ev);
  auto notes = r.redactions();
  redact_envelope(ev, notes);
  if (!notes.empty()) {
    ev.metadata = with_redactions(std::move(ev.metadata), notes);
    // Ids must tell deliveries apart, also where they are secret.
    if (ev.event_id.find(redacted_text) != std::string::npos)
      ev.event_id =
          "sha256:" +
          crypto::to_hex(crypto::digest(crypto::hash::sha256, r.body()));
  }
  note_trace(r, ev);
  stamp(r.raw(), ev);
  return {};
}

void base_platform::redact_envelope(event& ev,
                                    std::vector<std::string>& notes) const {
  if (!rules_.redact.has_shapes())
    return;
  const auto clean = [&](std::string& text) {
    auto found = rules_.redact.shapes(text);
    if (!found)
      return false;
    text = std::move(found->text);
    for (auto& what : found->notes)
      if (std::find(notes.begin(), notes.end(), what) == notes.end())
        notes.push_back(std::move(what));
    return true;
  };
  // One that has lost a part before is not what the sender knows it by.
  if (auto sent = ev.event_id;
      clean(ev.event_id) && sent.find(redacted_text) == std::string::npos)
    ev.event_id =
        "sha256:" + crypto::to_hex(crypto::digest(crypto::hash::sha256, sent));
  for (auto* text : {&ev.source_id, &ev.source_name, &ev.actor_id,
                     &ev.actor_name, &ev.metadata})
    clean(*text);
  // The columns say what kind of event it is, too.
  if (clean(ev.event_type))
    for (auto* columns : {&ev.details.github, &ev.details.linear,
                          &ev.details.slack, &ev.details.deployment})
      clean(*columns);
}

void base_platform::note_trace(const request& r, event& ev) {
  const auto header = r.header("traceparent");
  if (!header || !trace_id_of(*header) ||
      ev.metadata.find("\"traceparent\"") != std::string::npos)
    return;
  std::string member = "\"traceparent\":";
  codec::append_quoted(member, clean_text(trim(*header)));
  ev.metadata = with_member(std::move(ev.metadata), std::move(member));
}

void base_platform::prioritise(simdjson::dom::element payload,
                               event& ev) const {
  if (const auto found = rules_.priorities.find(ev.event_type, payload))
    ev.priority = *found;
}

void base_platform::stamp(const webhook& w, event& ev) const {
  if (ev.platform.empty())
    ev.platform = name_;
  ev.created_at = w.received_at == timestamp{} ? now() : w.received_at;
  ev.id = uuid::v7(ev.created_at, random_);
  ev.event_id = bounded_id(ev.event_id);
  for (auto* field : {&ev.event_type, &ev.source_id, &ev.source_name,
                      &ev.actor_id, &ev.actor_name})
    *field = clean_text(*field);
}

std::string first_text(simdjson::dom::element root,
                       std::initializer_list<std::string_view> pointers) {
  std::string scratch;
  for (auto pointer : pointers)
    if (const auto text = codec::text_at(root, pointer, scratch);
        text && !text->empty())
      return std::string{*text};
  return {};
}

std::string clean_text(std::string_view text, size_t limit) {
  if (text.size() > limit) {
    // Back to the first byte of the character that would be cut in two.
    while (limit > 0 &&
           (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
      --limit;
    text = text.substr(0, limit);
  }
  // Header values, unlike what a JSON parser gives, may be of any encoding.
  const bool utf8 = codec::is_utf8(text);
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c == '\0' || (!utf8 && static_cast<unsigned char>(c) >= 0x80))
      out.append("\xEF\xBF\xBD");
    else
      out.push_back(c);
  }
  return out;
}

std::string bounded_id(std::string_view id) {
  if (id.size() > max_event_id)
    return "sha256:" + crypto::to_hex(crypto::digest(crypto::hash::sha256, id));
  return clean_text(id, max_event_id);
}

void as_stored(event_query& q) {
  for (auto& id : q.event_ids)
    id = bounded_id(id);
  for (auto* texts : {&q.event_types, &q.source_ids, &q.source_names, &q.actors,
                      &q.actor_ids, &q.actor_names}) {
    const bool are_patterns =
        texts == &q.event_types || texts == &q.source_names;
    for (auto& text : *texts)
      if (!are_patterns || text.find('*') == text.npos)
        text = clean_text(text);
  }
}

metadata_writer& metadata_writer::text(std::string_view key,
                                       std::optional<std::string_view> value) {
  if (!value || value->empty())
    return *this;
  std::string json;
  codec::append_quoted(json, clean_text(*value));
  return raw(key, json);
}

metadata_writer& metadata_writer::raw(std::string_view key,
                                      std::string_view json) {
  if (!empty())
    out_.push_back(',');
  codec::append_quoted(out_, key);
  out_.push_back(':');
  out_.append(json);
  return *this;
}

std::string metadata_writer::finish() && {
  out_.push_back('}');
  return std::move(out_);
}

} // namespace eventweft::platforms
