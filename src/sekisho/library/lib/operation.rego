package lib.operation

# Whether an object that exists is changed. What cannot be changed is then not judged: the object would be
# refused for what it was allowed once, and could not even be deleted where a finalizer has to be taken off.
is_update if input.review.operation == "UPDATE"
