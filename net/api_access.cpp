// SPDX-License-Identifier: Apache-2.0
#include "net/api_access.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "codec/list_json.hpp"
#include "codec/payload.hpp"
#include "messages/complaint.hpp"
#include "net/answers.hpp"
#include "net/api_subscriptions.hpp"
#include "net/ports/access.hpp"

#include <simdjson.h>

#include <charconv>
#include <utility>

namespace eventweft::net {

namespace {

using codec::append_member;

using simdjson::dom::element;

constexpr size_t longest_name = 200;

response no_books() {
  return problem_answer({ec::not_found, "this server keeps no keys"});
}

void append_member(std::string& out, std::string_view name,
                   const std::optional<timestamp>& time) {
  codec::append_name(out, name);
  if (time)
    codec::append_quoted(out, to_rfc3339(*time));
  else
    out += "null";
}

/// Everything but the key itself and its hash; without the closing brace.
std::string key_members(const auth::api_key& key) {
  std::string out = "{";
  append_member(out, "id", key.id);
  append_member(out, "name", key.name);
  out += ",\"scopes\":[";
  for (const auto& s : key.scopes) {
    if (out.back() != '[')
      out += ',';
    codec::append_quoted(out, to_string(s));
  }
  out += "],\"filter\":";
  out += key.forced ? codec::filter_json(*key.forced) : "null";
  append_member(out, "created_at", key.created_at);
  append_member(out, "expires_at", key.expires_at);
  append_member(out, "revoked_at", key.revoked_at);
  append_member(out, "last_used_at", key.last_used_at);
  return out;
}

void append_audit_entry(std::string& out, const auth::audit_entry& e) {
  out += "{\"id\":" + std::to_string(e.id);
  append_member(out, "at", to_rfc3339(e.at));
  append_member(out, "actor_kind", e.actor_kind);
  append_member(out, "actor", e.actor);
  append_member(out, "action", e.action);
  append_member(out, "target", e.target);
  append_member(out, "address", e.address);
  out += ",\"status\":" + std::to_string(e.status) + '}';
}

expected<element> object_of(codec::payload_reader& reader,
                            std::string_view body) {
  auto root = reader.parse(body);
  if (!root)
    return fail(ec::malformed, "body: " + root.error().message);
  if (!root->is_object())
    return fail(ec::malformed, "body: expected a JSON object");
  if (const auto twice = codec::repeated_member(root->get_object()))
    return fail(ec::malformed, complaint(*twice, "is given twice"));
  // The reader has put something else in their place.
  if (codec::readable_escapes(body))
    return fail(ec::unprocessable,
                "body: must hold neither U+0000 nor half a surrogate pair");
  return *root;
}

expected<std::vector<auth::scope>> read_scopes(element value) {
  std::vector<auth::scope> out;
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS)
    return fail(ec::unprocessable, "scopes: expected a list of texts");
  for (const auto item : list) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS)
      return fail(ec::unprocessable, "scopes: expected a list of texts");
    auto one = auth::parse_scope(text);
    if (!one)
      return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

expected<auth::api_key> read_key(std::string_view body, timestamp now) {
  codec::payload_reader reader;
  const auto root = object_of(reader, body);
  if (!root)
    return fail(root.error());
  auth::api_key key;
  const auto members = root->get_object().value_unsafe();
  for (const auto [name, value] : members) {
    std::string_view text;
    const bool is_text = value.get(text) == simdjson::SUCCESS;
    if (name == "name" && is_text && text.size() <= longest_name) {
      key.name = text;
    } else if (name == "name") {
      return fail(ec::unprocessable,
                  "name: expected a text of at most 200 bytes");
    } else if (name == "scopes") {
      auto scopes = read_scopes(value);
      if (!scopes)
        return fail(std::move(scopes.error()));
      key.scopes = std::move(*scopes);
    } else if (name == "filter") {
      if (value.is_null())
        continue;
      auto f = codec::parse_forced_filter(simdjson::minify(value));
      if (!f)
        return fail(std::move(f.error()));
      key.forced = std::move(*f);
    } else if (name == "expires_at") {
      if (value.is_null())
        continue;
      key.expires_at = is_text ? parse_rfc3339(text) : std::nullopt;
      if (!key.expires_at || *key.expires_at <= now)
        return fail(ec::unprocessable,
                    "expires_at: expected an RFC 3339 time that is to come");
    } else {
      return fail(ec::unprocessable,
                  "unknown member \"" + std::string{name} +
                      "\"; known are name, scopes, filter and expires_at");
    }
  }
  return auth::checked_api_key(std::move(key));
}

} // namespace

awaitable<response> make_ticket(const api_call& call) {
  auto* access = call.shared.behind.access();
  if (access == nullptr)
    co_return no_books();
  codec::payload_reader reader;
  const auto root = object_of(reader, call.req.body());
  if (!root)
    co_return problem_answer(root.error());
  std::string stream;
  const auto members = root->get_object().value_unsafe();
  for (const auto [name, value] : members) {
    std::string_view text;
    if (name != "stream" || value.get(text) != simdjson::SUCCESS ||
        text.empty())
      co_return problem_answer(
          {ec::unprocessable, "expected {\"stream\": NAME}"});
    stream = text;
  }
  if (stream.empty())
    co_return problem_answer(
        {ec::unprocessable, "expected {\"stream\": NAME}"});
  auto& door = access->door();
  // Who may not follow it learns nothing about its name.
  if (auth::decide(call.who, auth::permission::stream, stream,
                   call.shared.time.now())
          .allowed)
    if (const auto found = co_await find_stream(call, stream); !found)
      co_return problem_answer(found.error());
  const auto start = [&](reply_to<std::string> reply) {
    access->issue_ticket(call.who, stream, std::move(reply));
  };
  const auto ticket = co_await call.ask.call<std::string>(start);
  if (!ticket)
    co_return problem_answer(ticket.error());
  std::string body = "{";
  append_member(body, "ticket", *ticket);
  append_member(body, "stream", stream);
  body += ",\"expires_in\":" + std::to_string(door.ticket_lifetime().count());
  auto res = json_answer(201, body + '}');
  res.set(http::field::cache_control, "no-store");
  co_return res;
}

awaitable<response> create_key(const api_call& call) {
  auto* access = call.shared.behind.access();
  if (access == nullptr)
    co_return no_books();
  auto wanted = read_key(call.req.body(), call.shared.time.now());
  if (!wanted)
    co_return problem_answer(wanted.error());
  const auto start = [&](reply_to<auth::new_api_key> reply) {
    access->create_key(std::move(*wanted), std::move(reply));
  };
  const auto made = co_await call.ask.call<auth::new_api_key>(start);
  if (!made)
    co_return problem_answer(made.error());
  call.target = made->record.id;
  auto body = key_members(made->record);
  append_member(body, "key", made->text);
  auto res = json_answer(201, body + '}');
  res.set(http::field::cache_control, "no-store");
  co_return res;
}

awaitable<response> list_keys(const api_call& call,
                              const query_params& params) {
  auto* access = call.shared.behind.access();
  if (access == nullptr)
    co_return no_books();
  const auto page = read_name_page(params);
  if (!page)
    co_return problem_answer(page.error());
  const auto start = [&](reply_to<std::vector<auth::api_key>> reply) {
    access->list_keys(std::move(reply));
  };
  auto keys = co_await call.ask.call<std::vector<auth::api_key>>(start);
  if (!keys)
    co_return problem_answer(keys.error());
  const bool more =
      cut_page(*keys, *page, [](const auto& key) { return key.id; });
  co_return json_answer(200,
                        codec::list_json(
                            "keys", *keys,
                            [](std::string& out, const auth::api_key& key) {
                              out += key_members(key) + '}';
                            },
                            more ? keys->back().id : std::string{}));
}

awaitable<response> revoke_key(const api_call& call) {
  auto* access = call.shared.behind.access();
  if (access == nullptr)
    co_return no_books();
  const auto start = [&](reply_to<bool> reply) {
    access->revoke_key(call.match.argument, std::move(reply));
  };
  const auto revoked = co_await call.ask.call<bool>(start);
  if (!revoked)
    co_return problem_answer(revoked.error());
  if (!*revoked)
    co_return problem_answer({ec::not_found, "no API key has this id"});
  co_return text_answer(204, {}, {});
}

awaitable<response> list_audit(const api_call& call,
                               const query_params& params) {
  auto* access = call.shared.behind.access();
  if (access == nullptr)
    co_return no_books();
  auto asked = read_audit_query(params);
  if (!asked)
    co_return problem_answer(asked.error());
  const auto limit = asked->limit;
  // One more than asked for tells whether there is a next page.
  ++asked->limit;
  const auto start = [&](reply_to<std::vector<auth::audit_entry>> reply) {
    access->audit(std::move(*asked), std::move(reply));
  };
  auto found = co_await call.ask.call<std::vector<auth::audit_entry>>(start);
  if (!found)
    co_return problem_answer(found.error());
  const bool more = cut_page(*found, limit);
  co_return json_answer(200,
                        codec::list_json("entries", *found, append_audit_entry,
                                         more ? std::to_string(found->back().id)
                                              : std::string{}));
}

} // namespace eventweft::net
