# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_send_triage_global_optspecs
    string join \n config= log= log-level= h/help V/version
end

function __fish_send_triage_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_send_triage_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_send_triage_using_subcommand
    set -l cmd (__fish_send_triage_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c send-triage -n "__fish_send_triage_needs_command" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_needs_command" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_needs_command" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_needs_command" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_needs_command" -s V -l version -d 'Print version'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "run" -d 'The daemon: watches, acknowledges, decides, files, until it is told to stop'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "demo" -d 'The whole journey on a folder of example messages; letters and filed messages are written as files'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "check" -d 'Validates configuration, rules, wording and calendar, and runs the rules\' examples'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "doctor" -d 'Connects to every account and reports what works, what is missing, and how to mend it'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "health" -d 'How the daemon is, from the file that it writes; for whatever watches the machine'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "explain" -d 'What would be decided about these messages, and why; changes nothing'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "evaluate" -d 'Measures the rules against labelled messages'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "replay" -d 'Which past messages would be decided differently by other rules; changes nothing'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "suggest" -d 'What staff corrected, and which rule to look at; changes no rule'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "learn" -d 'Learns from labelled messages how much each word speaks for a rule, and writes learned.csv'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "due" -d 'When the answer is due to a message received at these times, and how that was counted'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "cases" -d 'The cases on record: looked at, and what staff say of them'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "digest" -d 'The weekly digest for managers: looked at, or sent now'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "report" -d 'The digest\'s figures for any period, and the decision slip of a case'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "backup" -d 'Copies the record into a file, while the daemon runs, and checks the copy'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "rebuild" -d 'Makes the record anew from the mailboxes, or adds to a restored backup what came since'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "purge" -d 'Takes the people out of what has been settled for long, or out of everything about one address'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "export" -d 'Everything that is kept about one address, as JSON'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "schema" -d 'The JSON Schemas of configuration and rules for editors, and the page of all keys of the configuration'
complete -c send-triage -n "__fish_send_triage_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c send-triage -n "__fish_send_triage_using_subcommand run" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand run" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand run" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand run" -l standby -d 'If another one is at work on the same record: wait, and take over when it ends'
complete -c send-triage -n "__fish_send_triage_using_subcommand run" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -l inbox -d 'Example messages: a folder for each mailbox (general, assessment, ...), of .eml files or a Maildir, or just .eml files for the mailbox `general`; without it, the built-in ones' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -l rules -d 'Rules other than the built-in ones' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -l out -d 'Where everything is written; cleared first if an earlier demo wrote it' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand demo" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand check" -l rules -d 'Rules other than those of the configuration' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand check" -l format -d 'How to print what was found: for people, as one JSON object, or one line each for editors and CI' -r -f -a "text\t'With the lines, the places underlined, and a summary'
json\t'One object: ok, errors, warnings, diagnostics, files'
short\t'`file:line:column: severity: message`, one a line, as compilers print it'"
complete -c send-triage -n "__fish_send_triage_using_subcommand check" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand check" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand check" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -l format -d 'How to print what was found' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -l account -d 'This account only' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -l send-test -d 'Sends a message from each account to itself, waits for it, and removes it again'
complete -c send-triage -n "__fish_send_triage_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand health" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand health" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand health" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand health" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l format -d 'How to print the answer' -r -f -a "text\t'A memo, for people'
json\t'One object a line, for programs'
html\t'One HTML page that needs no other file, for showing to a colleague or printing'"
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l color -l colour -d 'Whether the memo is in colours; without them marked words stand between >> and <<' -r -f -a "auto\t'On a terminal, unless the variable NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l mailbox -d 'The mailbox that the messages arrived in: general, assessment, ...; without it, the one in To or Cc' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l received -d 'When they were received; without it, the topmost Received header\'s date, then Date' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l rules -d 'Rules other than those of the configuration' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -l text -d 'Print the sender\'s new words as well'
complete -c send-triage -n "__fish_send_triage_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -l format -d 'How to print the figures' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -l rules -d 'Rules other than those of the configuration' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -l only -d 'Only every third message by its file\'s number, or only the others' -r -f -a "held-back\t'Messages whose number can be divided by three: d-003.eml, d-006.eml, ...'
worked-on\t'All others, those without a number among them'"
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand evaluate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l format -d 'How to print the differences' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l rules -d 'The new rules: a copy of the rules folder with your edits' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l old -d 'The rules to compare with; without it those of the configuration, or what was decided at the time' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l against -d 'Past messages: a folder of .eml files or a Maildir, an mbox file, or `recorded`; may be given several times' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l since -d 'Only messages received at this time or later' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l mailbox -d 'The mailbox that the messages arrived in; without it, the one in To or Cc (not for `recorded`)' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l format -d 'How to print the suggestions' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l rules -d 'Rules other than those of the configuration: would they decide as corrected?' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l since -d 'Only corrections made, or seen, at this time or later' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l write -d 'Also write each message as .eml, with its corrected labels, into this folder, for `evaluate`: it then holds people\'s emails' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand suggest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -l rules -d 'The rules folder whose learned.csv is written' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -l hold-back -d 'Leave out every third message and passage, so that they can measure what was learned'
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -l dry-run -d 'Only measure; write nothing'
complete -c send-triage -n "__fish_send_triage_using_subcommand learn" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand due" -l format -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand due" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand due" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand due" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand due" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "list" -d 'Cases, the first due first'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "show" -d 'Everything about one case'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "answer" -d 'Says that a case was answered: by telephone, or by a mail that was not seen'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "extend" -d 'Says that the answer takes longer, and until when'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "reopen" -d 'Opens a case again that was answered or closed'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "close" -d 'Says that nothing is owed in a case'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "reassign" -d 'Gives a case to another team, or makes it urgent or standard'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "history" -d 'Every case of one sender, or what happened to one case'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "withheld" -d 'Messages that got no acknowledgement, and why, so that a person can send one'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "correct" -d 'Says what is right about a case that was decided otherwise'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and not __fish_seen_subcommand_from list show answer extend reopen close reassign history withheld correct help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l format -d 'How to print them' -r -f -a "text\t'A table'
json\t'One object a line'
csv\t'Comma-separated values, with a heading'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l state -d 'Only those in this state; waiting is open or extended' -r -f -a "open\t''
extended\t''
answered\t''
closed\t''
waiting\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l urgency -d 'Only urgent or standard ones' -r -f -a "urgent\t''
standard\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l queue -d 'Only this team\'s' -r -f -a "resolution\t''
assessment\t''
annual-review-east\t''
annual-review-west\t''
general\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l area -d 'Only this area\'s' -r -f -a "east\t''
west\t''
unknown\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l due-by -d 'Only those due on this day or before: 2027-01-05, "5 January", Friday' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l due-before -d 'Only those due before this day' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l due-within -d 'Only those in which an answer is owed within so many working days, today included; --overdue has those before' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l sender -d 'Only those of this sender' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l step -d 'Only those at this step of the escalation, 1 to 4' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l chased -d 'Only those in which the sender asked again, once or (=N) so often' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l matter -d 'Only questions, or only call-backs' -r -f -a "question\t''
call-back\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l received-since -d 'Only those received on this day or after' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l received-until -d 'Only those received on this day or before' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l as-of -d 'Count as on this day: what will be overdue then? Without it, today' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l color -l colour -d 'Whether overdue and urgent lines are in colours' -r -f -a "auto\t'On a terminal, unless the variable NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l overdue -d 'Only those in which an answer is owed and its day is over'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l missing -d 'Only those whose message is found in none of our folders'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -l unsure -d 'Only those whose decision a person should look at'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from show" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from show" -l as-of -d 'Count as on this day: what will be overdue then? Without it, today' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from show" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from show" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from show" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l by -d 'Who says so; without it, the name that you are logged in with' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l format -d 'How to print what came of it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l at -d 'When it was answered: 2026-12-03, "2026-12-03 15:30" (London time); without it, now' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l why -d 'How, or anything that the next reader should know; no names of families' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from answer" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l by -d 'Who says so; without it, the name that you are logged in with' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l format -d 'How to print what came of it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l until -d 'The last day for the answer: 2027-01-14, "14 January", "next Friday"; a working day' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l why -d 'Why; no names of families' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l by -d 'Who says so; without it, the name that you are logged in with' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l format -d 'How to print what came of it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l due -d 'The last day for the answer now: 2027-01-14, "14 January"; without it, counted anew from today' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l why -d 'Why; no names of families' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reopen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -l by -d 'Who says so; without it, the name that you are logged in with' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -l format -d 'How to print what came of it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -l why -d 'Why nothing is owed; no names of families' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l by -d 'Who says so; without it, the name that you are logged in with' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l format -d 'How to print what came of it' -r -f -a "text\t'For people'
json\t'For programs: one object a line'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l queue -d 'The team that has it now' -r -f -a "resolution\t''
assessment\t''
annual-review-east\t''
annual-review-west\t''
general\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l area -d 'Where the child lives' -r -f -a "east\t''
west\t''
unknown\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l why -d 'Why; no names of families' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l urgent -d 'It is urgent'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -l standard -d 'It is not urgent'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from reassign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from history" -l format -d 'How to print it' -r -f -a "text\t'A table'
json\t'One object a line'
csv\t'Comma-separated values, with a heading'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from history" -l as-of -d 'Count as on this day: what will be overdue then? Without it, today' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from history" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from history" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from history" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -l format -d 'How to print them' -r -f -a "text\t'A table'
json\t'One object a line'
csv\t'Comma-separated values, with a heading'"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -l since -d 'Since this day; without it, today\'s' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -l all -d 'Those of machines, lists and colleagues too, who are never acknowledged'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from withheld" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l ground -d 'A ground that holds, such as U4 (which makes it urgent) or S2; may be given several times, and then says all of them' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l queue -d 'The team that should have got it' -r -f -a "resolution\t''
assessment\t''
annual-review-east\t''
annual-review-west\t''
general\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l area -d 'Where the child lives' -r -f -a "east\t''
west\t''
unknown\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l kind -d 'What sort of message it is' -r -f -a "person\t''
auto-reply\t''
bounce\t''
list\t''
internal\t''
calendar\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l by -d 'Who says so; without it, the name that you are logged in with' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l why -d 'Why, for those who keep the rules; no names of families' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l urgent -d 'It is urgent'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -l standard -d 'It is not urgent'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from correct" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "list" -d 'Cases, the first due first'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "show" -d 'Everything about one case'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "answer" -d 'Says that a case was answered: by telephone, or by a mail that was not seen'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "extend" -d 'Says that the answer takes longer, and until when'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "reopen" -d 'Opens a case again that was answered or closed'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "close" -d 'Says that nothing is owed in a case'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "reassign" -d 'Gives a case to another team, or makes it urgent or standard'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "history" -d 'Every case of one sender, or what happened to one case'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "withheld" -d 'Messages that got no acknowledgement, and why, so that a person can send one'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "correct" -d 'Says what is right about a case that was decided otherwise'
complete -c send-triage -n "__fish_send_triage_using_subcommand cases; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l week -d 'The week that this day is in, such as 2026-11-16; without it, the last whole week' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l preview -d 'Writes each recipient\'s digest below this folder: the email, its text, its web page, its charts. Nothing is sent' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l to -d 'To this recipient alone' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l send -d 'Sends it now to everybody who is configured and has not had it'
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l again -d 'Sends it also to those who have had it'
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -l sample -d 'Shows invented figures instead of the record\'s: for trying out the wording'
complete -c send-triage -n "__fish_send_triage_using_subcommand digest" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l from -d 'The first day: 2026-09-01, "1 September", "last Monday"' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l to -d 'The last day; without it, yesterday' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l queue -d 'Only these teams; more than one with commas' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l area -d 'Only these areas: east, west, unknown' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l case -d 'The decision slip of this case instead: what was decided, by which rules, how the days were counted' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l format -d 'html, csv or json; without it html, and text for a case' -r -f -a "text\t'For the terminal: only with --case'
html\t'One HTML page that needs no other file, for showing and printing'
csv\t'One figure a line, for a spreadsheet: not with --case'
json\t'For programs'"
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l as-of -d 'How things stand is counted as on this day; without it, today' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -l names -d 'With --case: also the sender, the subject and the words that the decision rests on'
complete -c send-triage -n "__fish_send_triage_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c send-triage -n "__fish_send_triage_using_subcommand backup" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand backup" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand backup" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand backup" -l force -d 'Replace the file if it is there'
complete -c send-triage -n "__fish_send_triage_using_subcommand backup" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -l since -d 'Leave out what was received before this day, such as 2026-01-31; without it, everything is read' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -l anew -d 'Start from nothing, whatever the record holds that is there'
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -l dry-run -d 'Only say what would come of it'
complete -c send-triage -n "__fish_send_triage_using_subcommand rebuild" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l address -d 'Everything about the person with this address, instead of what has been settled for long' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l months -d 'Settled for so many months; without it, `retention.months` of the configuration' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l dry-run -d 'Only say what would be purged'
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -l yes -d 'Do not ask'
complete -c send-triage -n "__fish_send_triage_using_subcommand purge" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand export" -l address -d 'The person\'s address' -r
complete -c send-triage -n "__fish_send_triage_using_subcommand export" -l output -d 'The file that is made, for its owner alone; without it, standard output' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand export" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand export" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand export" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand export" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand schema" -l config -d 'The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and digest --sample the built-in example' -r -F
complete -c send-triage -n "__fish_send_triage_using_subcommand schema" -l log -d 'How log lines look: for people, or as JSON for programs' -r -f -a "human\t''
json\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand schema" -l log-level -d 'Log lines from this level on; without it info, and warn for the demo' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c send-triage -n "__fish_send_triage_using_subcommand schema" -l reference -d 'Print instead every key of the configuration with its type, what holds without it, and its meaning (Markdown)'
complete -c send-triage -n "__fish_send_triage_using_subcommand schema" -s h -l help -d 'Print help'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "run" -d 'The daemon: watches, acknowledges, decides, files, until it is told to stop'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "demo" -d 'The whole journey on a folder of example messages; letters and filed messages are written as files'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "check" -d 'Validates configuration, rules, wording and calendar, and runs the rules\' examples'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "doctor" -d 'Connects to every account and reports what works, what is missing, and how to mend it'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "health" -d 'How the daemon is, from the file that it writes; for whatever watches the machine'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "explain" -d 'What would be decided about these messages, and why; changes nothing'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "evaluate" -d 'Measures the rules against labelled messages'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "replay" -d 'Which past messages would be decided differently by other rules; changes nothing'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "suggest" -d 'What staff corrected, and which rule to look at; changes no rule'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "learn" -d 'Learns from labelled messages how much each word speaks for a rule, and writes learned.csv'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "due" -d 'When the answer is due to a message received at these times, and how that was counted'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "cases" -d 'The cases on record: looked at, and what staff say of them'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "digest" -d 'The weekly digest for managers: looked at, or sent now'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "report" -d 'The digest\'s figures for any period, and the decision slip of a case'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "backup" -d 'Copies the record into a file, while the daemon runs, and checks the copy'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "rebuild" -d 'Makes the record anew from the mailboxes, or adds to a restored backup what came since'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "purge" -d 'Takes the people out of what has been settled for long, or out of everything about one address'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "export" -d 'Everything that is kept about one address, as JSON'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "schema" -d 'The JSON Schemas of configuration and rules for editors, and the page of all keys of the configuration'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor health explain evaluate replay suggest learn due cases digest report backup rebuild purge export schema help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "list" -d 'Cases, the first due first'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "show" -d 'Everything about one case'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "answer" -d 'Says that a case was answered: by telephone, or by a mail that was not seen'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "extend" -d 'Says that the answer takes longer, and until when'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "reopen" -d 'Opens a case again that was answered or closed'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "close" -d 'Says that nothing is owed in a case'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "reassign" -d 'Gives a case to another team, or makes it urgent or standard'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "history" -d 'Every case of one sender, or what happened to one case'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "withheld" -d 'Messages that got no acknowledgement, and why, so that a person can send one'
complete -c send-triage -n "__fish_send_triage_using_subcommand help; and __fish_seen_subcommand_from cases" -f -a "correct" -d 'Says what is right about a case that was decided otherwise'
