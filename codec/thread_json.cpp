// SPDX-License-Identifier: Apache-2.0
#include "codec/thread_json.hpp"

#include "codec/event_json.hpp"
#include "codec/json_text.hpp"
#include "codec/list_json.hpp"
#include "codec/payload.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <span>
#include <string_view>
#include <tuple>

namespace eventweft::codec {

namespace {

/// Writes one JSON object or array after the other into a text.
class writer {
 public:
  explicit writer(std::string& out) : out_(out) {}

  writer& name(std::string_view text) {
    comma();
    append_quoted(out_, text);
    out_ += ':';
    fresh_ = true;
    return *this;
  }
  void open(char c) {
    comma();
    out_ += c;
    fresh_ = true;
  }
  void close(char c) {
    out_ += c;
    fresh_ = false;
  }
  void text(std::string_view value) {
    comma();
    append_quoted(out_, value);
  }
  void raw(std::string_view value) {
    comma();
    out_ += value;
  }
  void number(uint64_t value) { raw(std::to_string(value)); }
  void maybe(const std::optional<uuid>& id) {
    id ? text(to_string(*id)) : raw("null");
  }
  void text_or_null(std::string_view value) {
    value.empty() ? raw("null") : text(value);
  }

 private:
  void comma() {
    if (!fresh_)
      out_ += ',';
    fresh_ = false;
  }

  std::string& out_;
  bool fresh_ = true;
};

using simdjson::dom::element;

// When the platform says that it changed.
std::optional<timestamp>
time_at(element root, std::initializer_list<std::string_view> where) {
  for (const auto pointer : where)
    if (auto at = parse_rfc3339(string_at(root, pointer)))
      return at;
  return std::nullopt;
}

thing_state pull_request_of(element root) {
  thing_state s{.kind = "pull_request"};
  const auto number = string_at(root, "/pull_request/number");
  if (number.empty())
    return {};
  s.repository = string_at(root, "/repository/full_name");
  s.name = s.repository + "#" + number;
  s.title = string_at(root, "/pull_request/title");
  // What a review or a comment shows of it has no "merged".
  s.state = string_at(root, "/pull_request/merged") == "true" ||
                    !string_at(root, "/pull_request/merged_at").empty()
                ? "merged"
                : string_at(root, "/pull_request/state");
  if (s.state == "open" && string_at(root, "/pull_request/draft") == "true")
    s.state = "draft";
  s.url = string_at(root, "/pull_request/html_url");
  s.changed = time_at(root, {"/pull_request/updated_at"});
  return s;
}

thing_state github_issue_of(const event& ev, element root) {
  thing_state s{.kind = "issue"};
  const auto number = string_at(root, "/issue/number");
  if (number.empty())
    return {};
  s.repository = string_at(root, "/repository/full_name");
  s.name = s.repository + "#" + number;
  s.title = string_at(root, "/issue/title");
  s.state = ev.event_type == "issues:deleted" ? "deleted"
                                              : string_at(root, "/issue/state");
  s.url = string_at(root, "/issue/html_url");
  s.changed = time_at(root, {"/issue/updated_at"});
  return s;
}

thing_state linear_issue_of(const event& ev, element root) {
  thing_state s{.kind = "issue"};
  s.name = string_at(root, "/data/identifier");
  if (s.name.empty())
    return {};
  // Another team's name for it is another one.
  s.id = string_at(root, "/data/id");
  s.title = string_at(root, "/data/title");
  s.state = ev.event_type == "Issue:remove"
                ? "removed"
                : string_at(root, "/data/state/name");
  s.changed = time_at(root, {"/data/updatedAt"});
  s.url = string_at(root, "/url");
  if (s.url.empty())
    s.url = string_at(root, "/data/url");
  return s;
}

thing_state deployment_of(const event& ev, element root) {
  thing_state s{.kind = "deployment"};
  if (ev.platform == "github") {
    s.name = string_at(root, "/deployment/environment");
    s.repository = string_at(root, "/repository/full_name");
    s.state = string_at(root, "/deployment_status/state");
    if (s.state.empty())
      s.state = "created";
    s.title = string_at(root, "/deployment/ref");
    s.url = string_at(root, "/deployment_status/environment_url");
    s.changed = time_at(
        root, {"/deployment_status/created_at", "/deployment/created_at"});
    return s;
  }
  s.name = string_at(root, "/environment");
  s.repository = string_at(root, "/repository_name");
  s.state = string_at(root, "/status");
  s.title = string_at(root, "/commit_sha");
  s.url = string_at(root, "/deployment_url");
  s.changed = time_at(root, {"/completed_at", "/started_at"});
  return s;
}

thing_state state_of(const event& ev, payload_reader& reader) {
  const auto root = reader.parse(ev.payload.view());
  if (!root)
    return {};
  const std::string_view type = ev.event_type;
  thing_state s;
  if (type.starts_with("pull_request"))
    s = pull_request_of(*root);
  else if (type.starts_with("issues"))
    s = github_issue_of(ev, *root);
  else if (type.starts_with("Issue"))
    s = linear_issue_of(ev, *root);
  else if (type.starts_with("deployment"))
    s = deployment_of(ev, *root);
  s.event = ev.id;
  s.at = ev.created_at;
  return s;
}

void append_summary(writer& w, const thread_summary& s) {
  w.name("id").text(to_string(s.id));
  w.name("event_count").number(s.events);
  w.name("first_event_at").text(to_rfc3339(s.first));
  w.name("last_event_at").text(to_rfc3339(s.last));
  w.name("platforms").open('[');
  for (const auto& p : s.platforms)
    w.text(p);
  w.close(']');
}

void append_participants(writer& w,
                         const std::vector<thread_participant>& people) {
  w.name("participants").open('[');
  for (const auto& p : people) {
    w.open('{');
    w.name("platform").text(p.platform);
    w.name("id").text(p.id);
    w.name("name").text(p.name);
    w.name("events").number(p.events);
    w.close('}');
  }
  w.close(']');
}

void append_states(writer& w, const std::vector<event_ptr>& newest_first) {
  w.name("state").open('[');
  for (const auto& s : states_of(newest_first)) {
    w.open('{');
    w.name("kind").text(s.kind);
    w.name("name").text(s.name);
    w.name("repository").text_or_null(s.repository);
    w.name("title").text_or_null(s.title);
    w.name("state").text_or_null(s.state);
    w.name("url").text_or_null(s.url);
    w.name("event_id").text(to_string(s.event));
    w.name("at").text(to_rfc3339(s.at));
    w.close('}');
  }
  w.close(']');
}

void append_keys(writer& w, const std::vector<thread_key>& keys) {
  w.name("keys").open('[');
  for (const auto& k : keys) {
    w.open('{');
    w.name("key").text(k.key);
    w.name("owner_event_id").maybe(k.owner);
    w.name("links").number(k.links);
    w.name("mentions").number(k.mentions);
    w.name("last_seen").text(to_rfc3339(k.last_seen));
    w.close('}');
  }
  w.close(']');
}

std::string short_number(float x) {
  char text[32];
  const auto [end, fault] = std::to_chars(text, text + sizeof text, x);
  return fault == std::errc{} ? std::string{text, end} : "0";
}

void append_links(writer& w, const std::vector<thread_link>& links) {
  w.name("links").open('[');
  for (const auto& l : links) {
    w.open('{');
    w.name("source_event_id").text(to_string(l.event));
    w.name("target_event_id").maybe(l.target);
    w.name("correlation_type").text(l.type);
    w.name("correlation_key").text(l.key);
    w.name("confidence_score").raw(short_number(l.confidence));
    w.name("state").text(l.state);
    w.name("rule").text(l.rule);
    w.name("field").text(l.field);
    w.name("matched").text(l.matched);
    w.close('}');
  }
  w.close(']');
}

} // namespace

std::vector<thing_state> states_of(const std::vector<event_ptr>& newest_first) {
  payload_reader reader;
  // Each repository has a "production" of its own.
  std::map<std::tuple<std::string, std::string, std::string>, size_t> seen;
  std::vector<thing_state> out;
  for (const auto& e : newest_first) {
    auto s = state_of(*e, reader);
    if (s.name.empty())
      continue;
    const auto [at, fresh] = seen.try_emplace(
        {s.kind, s.id.empty() ? s.name : s.id, lower_case(s.repository)},
        out.size());
    if (fresh)
      out.push_back(std::move(s));
    // Webhooks overtake each other.
    else if (auto& known = out[at->second];
             s.changed && known.changed && *s.changed > *known.changed)
      known = std::move(s);
  }
  return out;
}

std::string story_json(const thread_story& story) {
  std::string out;
  writer w{out};
  w.open('{');
  append_summary(w, story.summary);
  w.name("former_ids").open('[');
  for (const auto& id : story.former)
    w.text(to_string(id));
  w.close(']');
  append_states(w, story.states);
  append_participants(w, story.participants);
  append_keys(w, story.keys);
  append_links(w, story.links);
  w.name("events").open('[');
  for (const auto& e : story.events)
    w.raw(wire_text(e, wire_format::native));
  w.close(']');
  w.name("next_cursor");
  story.next ? w.text(std::to_string(*story.next)) : w.raw("null");
  w.close('}');
  return out;
}

std::string threads_json(const std::vector<thread_summary>& threads,
                         size_t limit) {
  const auto page = std::span{threads}.first(std::min(limit, threads.size()));
  const bool more = threads.size() > page.size() && !page.empty();
  return list_json(
      "correlations", page,
      [](std::string& out, const thread_summary& thread) {
        writer w{out};
        w.open('{');
        append_summary(w, thread);
        w.name("keys").open('[');
        for (const auto& k : thread.keys)
          w.text(k);
        w.close(']');
        w.close('}');
      },
      more ? std::to_string(page.back().last_seq) : std::string{});
}

} // namespace eventweft::codec
