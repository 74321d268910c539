package slack

// refusals says what to do about the errors that Slack will give to every retry, of an
// incoming webhook and of the Web API.
var refusals = map[string]string{
	// The message.
	"invalid_payload":                         ours,
	"invalid_blocks":                          ours,
	"invalid_blocks_format":                   ours,
	"invalid_arguments":                       ours,
	"invalid_arg_name":                        ours,
	"invalid_array_arg":                       ours,
	"invalid_charset":                         ours,
	"invalid_form_data":                       ours,
	"invalid_json":                            ours,
	"json_not_object":                         ours,
	"invalid_post_type":                       ours,
	"missing_post_type":                       ours,
	"no_text":                                 ours,
	"msg_too_long":                            ours,
	"msg_blocks_too_long":                     ours,
	"too_many_attachments":                    ours,
	"missing_text_or_fallback_or_attachments": ours,

	// An incoming webhook.
	"no_service":      "the webhook was removed or disabled: create a new one",
	"no_service_id":   "the URL is not that of an incoming webhook",
	"no_team":         "the workspace does not exist: check the URL",
	"no_active_hooks": "the webhook was disabled: create a new one",
	"invalid_token":   "the URL is wrong or was revoked: create a new webhook",
	"user_not_found":  "the user that the webhook posts to does not exist",

	// The app.
	"invalid_auth":             "the token is wrong, or may not be used from this machine: install the app again and take its new token",
	"not_authed":               "the token is wrong: take that of the app",
	"token_revoked":            "the token was revoked: install the app again and take its new token",
	"token_expired":            "the token has expired: turn token rotation off for the app, and take its new token",
	"account_inactive":         "the app was removed from the workspace: install it again",
	"not_allowed_token_type":   "the token is of another kind: token_file wants xoxb-…, app_token_file wants xapp-…",
	"missing_scope":            "add the scope to the app, install it again, and take its new token",
	"no_permission":            "the app may not do this: add the scopes of the README, and install it again",
	"forbidden_team":           "the workspace does not let the app use Socket Mode",
	"app_not_installed":        "install the app in the workspace",
	"team_disabled":            "the workspace is disabled",
	"team_access_not_granted":  "the app is not installed in the channel's workspace",
	"org_login_required":       "the workspace is being moved to an organization: wait for its administrators",
	"ekm_access_denied":        "administrators have suspended posting",
	"access_denied":            "administrators do not let the app do this",
	"enterprise_is_restricted": "the app may not post from an organization: install it in the workspace",

	// The channel.
	"channel_not_found":                     "the channel does not exist, or is private and the app is not in it: /invite the app there, and check the id",
	"not_in_channel":                        "the app is not in the channel: /invite it there",
	"is_archived":                           "the channel is archived",
	"channel_is_archived":                   "the channel is archived",
	"action_prohibited":                     "an administrator has forbidden posting here",
	"restricted_action":                     "an administrator has forbidden posting here",
	"restricted_action_read_only_channel":   "only some may post in this channel: allow the app, or take another channel",
	"restricted_action_thread_only_channel": "the channel takes replies only: take another channel",
	"posting_to_general_channel_denied":     "the app may not post to the general channel",
	"messages_tab_disabled":                 "the app takes no direct messages: take a channel",
}

const ours = "it does not take this message; please report it"

// unthreadable are the errors after which a message can be posted, but not as a reply.
var unthreadable = map[string]bool{
	"thread_not_found": true, "message_not_found": true, "cannot_reply_to_message": true,
	"restricted_action_thread_locked": true, "restricted_action_non_threadable_channel": true,
}

// unamendable are the errors of an edit that no retry will change: the message is gone,
// or the workspace lets nobody edit it any more.
var unamendable = map[string]bool{
	"message_not_found": true, "cant_update_message": true, "edit_window_closed": true, "is_inactive": true,
	"channel_not_found": true, "is_archived": true, "cant_broadcast_message": true,
}
