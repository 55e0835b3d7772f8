// SPDX-License-Identifier: Apache-2.0
#include "correlation/rules/builtin.hpp"
#include "correlation/url_reference.hpp"

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

class linear final : public rule {
 public:
  std::string_view name() const noexcept override { return "linear"; }

  bool wants(const event& ev) const override { return ev.platform == "linear"; }

  void apply(const rule_input& in, claims& out) const override {
    if (!in.payload)
      return;
    const auto shown = text_of(*in.payload, "url");
    const auto data = child(*in.payload, "data");
    if (!data || !data->is_object())
      return about_an_issue(*in.payload, shown, out);
    const auto kind = std::string_view{in.ev.event_type}.substr(
        0, in.ev.event_type.find(':'));
    if (kind == "Issue")
      return issue(*data, shown, out);
    out.subject(kind == "Comment" ? correlation_noun::comment
                                  : correlation_noun::event);
    if (belongs_to_issue(*data, shown, out))
      contents(kind, *data, out);
    else
      of_its_own(kind, *data, out);
  }

 private:
  // The issue that `holder` says it is or belongs to, by each of its names.
  static bool names(element issue, std::string_view field,
                    std::string_view shown, bool itself, claims& out) {
    const auto claim = [&](std::string key, std::string_view member,
                           std::string_view matched) {
      const auto where = std::string{field}.append(member);
      if (itself)
        out.identity(std::move(key), where, matched);
      else
        out.link(std::move(key), correlation_noun::issue, 1, where, matched);
    };
    bool found = false;
    auto identifier = text_of(issue, "identifier");
    std::string made;
    const auto team = child(issue, "team");
    const auto key = team ? text_of(*team, "key") : std::string_view{};
    if (identifier.empty() && !key.empty()) {
      if (const auto n = number_of(issue, "number")) {
        made.append(key).append("-").append(std::to_string(*n));
        identifier = made;
      }
    }
    if (const auto k = issue_key_of(identifier)) {
      claim(*k, ".identifier", identifier);
      teach(identifier, field, out);
      found = true;
    }
    if (const auto id = text_of(issue, "id"); id.size() == 36) {
      claim(linear_id_key(id), ".id", id);
      found = true;
    }
    if (!key.empty())
      out.fact(team_fact(key), {}, field);
    const auto url = text_of(issue, "url");
    found = by_url(url.empty() ? shown : url, field, itself, out) || found;
    // What it was called before it moved to another team.
    simdjson::dom::array before;
    if (!issue["previousIdentifiers"].get(before))
      for (const auto old : before) {
        std::string_view text;
        if (!old.get(text))
          if (const auto k = issue_key_of(text))
            claim(*k, ".previousIdentifiers", text);
      }
    return found;
  }

  static bool by_url(std::string_view url, std::string_view field, bool itself,
                     claims& out) {
    if (url.empty())
      return false;
    const auto read = read_url(url);
    if (!read || read->keys.empty() ||
        !read->keys[0].key.starts_with("linear:issue:"))
      return false;
    const auto& key = read->keys[0].key;
    teach(std::string_view{key}.substr(13), field, out);
    if (itself)
      out.identity(key, field, url);
    else
      out.link(key, correlation_noun::issue, 1, field, url);
    return true;
  }

  static std::optional<std::string> issue_key_of(std::string_view identifier) {
    const auto hyphen = identifier.rfind('-');
    if (hyphen == std::string_view::npos || hyphen == 0)
      return std::nullopt;
    const auto n = parse_number(identifier.substr(hyphen + 1));
    if (!n)
      return std::nullopt;
    return linear_key(identifier.substr(0, hyphen), *n);
  }

  static void teach(std::string_view identifier, std::string_view field,
                    claims& out) {
    if (const auto hyphen = identifier.rfind('-');
        hyphen != std::string_view::npos)
      out.fact(team_fact(identifier.substr(0, hyphen)), {}, field);
  }

  static void issue(element data, std::string_view shown, claims& out) {
    out.subject(correlation_noun::issue);
    names(data, "data", shown, true, out);
    out.text(text_of(data, "title"), text_source::linear, markup::plain, {},
             "data.title");
    out.text(text_of(data, "description"), text_source::linear,
             markup::markdown, {}, "data.description");
  }

  // A deadline, a notification, what an agent does: they have no `data`.
  static void about_an_issue(element root, std::string_view shown,
                             claims& out) {
    out.subject(correlation_noun::event);
    if (const auto issue = child(root, "issueData");
        issue && issue->is_object())
      names(*issue, "issueData", shown, false, out);
    for (std::string_view member : {"agentSession", "notification"})
      if (const auto about = child(root, member); about && about->is_object())
        of_issue(*about, member, shown, out);
    // What an agent does without an issue is a story as well.
    if (const auto session = child(root, "agentSession");
        session && session->is_object())
      if (const auto id = text_of(*session, "id"); !id.empty())
        out.link("linear:agentsession:" + lower(id), correlation_noun::event, 1,
                 "agentSession.id", id);
  }

  // By its issue, or by that of the comment it came from.
  static void of_issue(element about, std::string_view member,
                       std::string_view shown, claims& out) {
    const auto by_id = [&](element holder, std::string_view where) {
      const auto id = text_of(holder, "issueId");
      if (id.size() == 36)
        out.link(linear_id_key(id), correlation_noun::issue, 1,
                 std::string{where}.append(".issueId"), id);
    };
    const std::string field{member};
    if (const auto issue = child(about, "issue"); issue && issue->is_object())
      names(*issue, field + ".issue", shown, false, out);
    else
      by_url(shown, "url", false, out);
    by_id(about, field);
    if (const auto comment = child(about, "comment");
        comment && comment->is_object())
      by_id(*comment, field + ".comment");
  }

  static bool belongs_to_issue(element data, std::string_view shown,
                               claims& out) {
    if (const auto issue = child(data, "issue"); issue && issue->is_object())
      return names(*issue, "data.issue", shown, false, out);
    bool found = by_url(shown, "url", false, out);
    if (const auto id = text_of(data, "issueId"); id.size() == 36) {
      out.link(linear_id_key(id), correlation_noun::issue, 1, "data.issueId",
               id);
      found = true;
    }
    // A reaction to a comment, and the like.
    if (const auto comment = child(data, "comment");
        comment && comment->is_object())
      if (const auto id = text_of(*comment, "issueId"); id.size() == 36) {
        out.link(linear_id_key(id), correlation_noun::issue, 1,
                 "data.comment.issueId", id);
        found = true;
      }
    return found;
  }

  static void contents(std::string_view kind, element data, claims& out) {
    if (kind == "Attachment") {
      out.url(text_of(data, "url"), 1, "data.url");
      if (const auto meta = child(data, "metadata"); meta && meta->is_object())
        out.url(text_of(*meta, "url"), 1, "data.metadata.url");
      return;
    }
    out.text(text_of(data, "body"), text_source::linear, markup::markdown, {},
             "data.body");
  }

  // A project, a cycle, a document: its own events belong together.
  static void of_its_own(std::string_view kind, element data, claims& out) {
    auto id = text_of(data, "id");
    std::string family = lower(kind);
    if (kind == "ProjectUpdate" || kind == "Project") {
      family = "project";
      if (const auto project = text_of(data, "projectId"); !project.empty())
        id = project;
    }
    if (id.empty() || kind.ends_with("Label") || kind == "User")
      return;
    out.identity("linear:" + family + ":" + lower(id), "data.id", id);
  }
};

} // namespace

rule_ptr linear_rule() {
  return std::make_shared<linear>();
}

} // namespace eventweft::correlation
