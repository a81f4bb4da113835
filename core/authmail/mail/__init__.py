"""What is said: messages, mails, mailboxes, languages."""
