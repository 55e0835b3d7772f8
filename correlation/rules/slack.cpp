// SPDX-License-Identifier: Apache-2.0
#include "correlation/rules/builtin.hpp"

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

constexpr size_t max_depth = 12;

class slack final : public rule {
 public:
  std::string_view name() const noexcept override { return "slack"; }

  bool wants(const event& ev) const override { return ev.platform == "slack"; }

  void apply(const rule_input& in, claims& out) const override {
    if (!in.payload)
      return;
    const auto root = *in.payload;
    const auto inside = child(root, "event");
    const auto ev = inside.value_or(root);
    place where{.team = text_of(root, "team_id"), .channel = {}};
    out.subject(correlation_noun::mention);
    if (!inside && !text_of(root, "command").empty())
      return command(root, where, out);
    if (!inside && (child(root, "container") || child(root, "message")))
      return interaction(root, where, out);
    if (where.team.empty())
      where.team = text_of(ev, "team");
    const auto type = text_of(ev, "type");
    if (type == "message" || type == "app_mention")
      message(ev, where, out);
    else if (type == "link_shared")
      link_shared(ev, where, out);
    else if (const auto item = child(ev, "item"); item && item->is_object())
      on_item(*item, ev, where, out);
  }

 private:
  struct place {
    std::string_view team;
    std::string_view channel;
  };

  // The thread that a message opens or is in, and the message itself, which a
  // reaction or a permalink may name.
  static void threads(element message, const place& where, claims& out) {
    if (!where.team.empty())
      out.fact(channel_fact(where.channel), where.team, "event.channel");
    const auto ts = text_of(message, "ts");
    const auto parent = text_of(message, "thread_ts");
    if (auto own = slack_thread_key(where.team, where.channel, ts))
      out.identity(std::move(*own), "event.ts", ts);
    if (parent.empty() || parent == ts)
      return;
    if (auto key = slack_thread_key(where.team, where.channel, parent))
      out.link(std::move(*key), correlation_noun::thread, 1, "event.thread_ts",
               parent);
  }

  static void message(element ev, place where, claims& out) {
    where.channel = text_of(ev, "channel");
    const auto subtype = text_of(ev, "subtype");
    // Edits and deletions carry the message inside.
    const auto inner = child(ev, "message");
    if (subtype == "message_deleted") {
      if (const auto gone = child(ev, "previous_message"))
        threads(*gone, where, out);
      else if (auto key = slack_thread_key(where.team, where.channel,
                                           text_of(ev, "deleted_ts")))
        out.identity(std::move(*key), "event.deleted_ts",
                     text_of(ev, "deleted_ts"));
      return;
    }
    const auto said = inner && inner->is_object() ? *inner : ev;
    threads(said, where, out);
    // "x has joined the channel", "set the topic": nothing is said.
    if (subtype.starts_with("channel_") || subtype.starts_with("group_"))
      return;
    content(said, "event.text", out);
  }

  static void content(element said, std::string_view field, claims& out) {
    const auto text = text_of(said, "text");
    out.text(text, text_source::chat, markup::slack, {}, field);
    if (const auto found = child(said, "blocks"))
      blocks(*found, text, 0, out);
    if (const auto found = child(said, "attachments"))
      attachments(*found, out);
  }

  // "/deploy octo/repo#12": said in a channel, but no message in it.
  static void command(element root, place where, claims& out) {
    where.channel = text_of(root, "channel_id");
    if (!where.team.empty() && !where.channel.empty())
      out.fact(channel_fact(where.channel), where.team, "channel_id");
    out.text(text_of(root, "text"), text_source::chat, markup::slack, {},
             "text");
  }

  // A button, a menu, a shortcut: it belongs to the message it is on, and so
  // to what that is about.
  static void interaction(element root, place where, claims& out) {
    const auto within = [&](std::string_view object, std::string_view member) {
      const auto found = child(root, object);
      return found ? text_of(*found, member) : std::string_view{};
    };
    const auto first = [](std::string_view a, std::string_view b) {
      return a.empty() ? b : a;
    };
    where.team = first(first(where.team, within("team", "id")),
                       within("user", "team_id"));
    where.channel =
        first(within("channel", "id"), within("container", "channel_id"));
    if (!where.team.empty() && !where.channel.empty())
      out.fact(channel_fact(where.channel), where.team, "channel.id");
    const auto ts =
        first(within("message", "ts"), within("container", "message_ts"));
    const auto parent =
        first(within("message", "thread_ts"), within("container", "thread_ts"));
    for (const auto& [field, at] :
         {std::pair{"message.ts", ts}, std::pair{"message.thread_ts", parent}})
      if (auto key = slack_thread_key(where.team, where.channel, at);
          key && !at.empty())
        out.link(std::move(*key), correlation_noun::thread, 1, field, at);
    if (const auto message = child(root, "message"))
      content(*message, "message.text", out);
  }

  // Everything that a person sees in the blocks. A rich text says again what
  // the message's own text says, so where there is one only links that are not
  // in that are read: a program's text may be a summary.
  static void blocks(element node, std::string_view said, size_t depth,
                     claims& out) {
    if (depth > max_depth)
      return;
    if (simdjson::dom::array list; !node.get(list)) {
      for (const auto item : list)
        blocks(item, said, depth + 1, out);
      return;
    }
    if (!node.is_object())
      return;
    const auto type = text_of(node, "type");
    if (type == "rich_text_preformatted" || type == "rich_text_quote" ||
        type == "image")
      return;
    if (type == "rich_text_section") {
      rich_section(node, said, out);
      return;
    }
    // What stands in its cells is said nowhere else.
    if (type == "table") {
      if (const auto rows = child(node, "rows"))
        blocks(*rows, {}, depth + 1, out);
      return;
    }
    if (type == "markdown") {
      out.text(text_of(node, "text"), text_source::chat, markup::markdown, {},
               "event.blocks");
      return;
    }
    if (type == "raw_text")
      out.text(text_of(node, "text"), text_source::chat, markup::plain, {},
               "event.blocks");
    if (type == "mrkdwn" || type == "plain_text")
      out.text(text_of(node, "text"), text_source::chat, markup::slack, {},
               "event.blocks");
    for (std::string_view url : {"url", "title_url"})
      if (const auto target = text_of(node, url); !target.empty())
        out.shown_url(target, 0.95F, "event.blocks");
    for (std::string_view inner :
         {"text", "fields", "elements", "accessory", "title", "description"})
      if (const auto found = child(node, inner))
        blocks(*found, said, depth + 1, out);
  }

  // Put together again, so that "fixes" and the id behind it meet.
  static void rich_section(element section, std::string_view said,
                           claims& out) {
    const bool links_only = !said.empty();
    simdjson::dom::array parts;
    if (section["elements"].get(parts))
      return;
    std::string text;
    for (const auto part : parts) {
      const auto type = text_of(part, "type");
      if (type == "link") {
        const auto url = text_of(part, "url");
        // The text says what it has to do with it, and writes & as &amp;.
        if (links_only && said.find(url.substr(0, url.find('&'))) != said.npos)
          continue;
        text.append("<").append(url);
        if (const auto shown = text_of(part, "text");
            !shown.empty() && !links_only)
          text.append("|").append(shown);
        text.append(links_only ? ">\n" : ">");
        continue;
      }
      if (links_only)
        continue;
      bool code = false;
      if (const auto style = child(part, "style"))
        if (bool on = false; !(*style)["code"].get(on))
          code = on;
      if (code)
        text.append("`");
      text.append(text_of(part, "text"));
      if (code)
        text.append("`");
    }
    out.text(text, text_source::chat, markup::slack, {}, "event.blocks");
  }

  static void attachments(element found, claims& out) {
    simdjson::dom::array list;
    if (found.get(list))
      return;
    for (const auto item : list) {
      bool unfurled = false;
      for (std::string_view url : {"from_url", "original_url"})
        if (const auto target = text_of(item, url); !target.empty()) {
          unfurled = true;
          out.shown_url(target, 0.95F, "event.attachments.from_url");
        }
      for (std::string_view link : {"title_link", "author_link"})
        out.shown_url(text_of(item, link), 0.95F,
                      "event.attachments." + std::string{link});
      simdjson::dom::array actions;
      if (!unfurled && !item["actions"].get(actions))
        for (const auto action : actions)
          out.shown_url(text_of(action, "url"), 0.95F,
                        "event.attachments.actions");
      // What is unfurled shows the other page's text, which refers to more.
      if (unfurled)
        continue;
      bool shown = child(item, "blocks").has_value();
      for (std::string_view part : {"pretext", "title", "text"}) {
        const auto text = text_of(item, part);
        shown = shown || !text.empty();
        out.text(text, text_source::chat, markup::slack, {},
                 "event.attachments");
      }
      // What is shown where nothing else can be.
      if (!shown)
        out.text(text_of(item, "fallback"), text_source::chat, markup::slack,
                 {}, "event.attachments.fallback");
      if (const auto inner = child(item, "blocks"))
        blocks(*inner, {}, 0, out);
      simdjson::dom::array fields;
      if (!item["fields"].get(fields))
        for (const auto field : fields)
          out.text(text_of(field, "value"), text_source::chat, markup::slack,
                   {}, "event.attachments.fields");
    }
  }

  static void link_shared(element ev, place where, claims& out) {
    where.channel = text_of(ev, "channel");
    auto ts = text_of(ev, "thread_ts");
    if (ts.empty())
      ts = text_of(ev, "message_ts");
    if (auto key = slack_thread_key(where.team, where.channel, ts))
      out.link(std::move(*key), correlation_noun::thread, 1, "event.message_ts",
               ts);
    simdjson::dom::array links;
    if (ev["links"].get(links))
      return;
    for (const auto link : links)
      out.shown_url(text_of(link, "url"), 0.95F, "event.links");
  }

  // A reaction, a pin, a star: it belongs to the message it is on.
  static void on_item(element item, element ev, place where, claims& out) {
    where.channel = text_of(item, "channel");
    if (where.channel.empty())
      where.channel = text_of(ev, "channel_id");
    auto ts = text_of(item, "ts");
    if (ts.empty())
      if (const auto inner = child(item, "message"))
        ts = text_of(*inner, "ts");
    if (auto key = slack_thread_key(where.team, where.channel, ts))
      out.link(std::move(*key), correlation_noun::thread, 1, "event.item.ts",
               ts);
  }
};

} // namespace

rule_ptr slack_rule() {
  return std::make_shared<slack>();
}

} // namespace eventweft::correlation
